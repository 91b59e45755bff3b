/* SPDX-License-Identifier: ISC */
/* leasectl delete: removes the row of a lease that is not active. */
#include "leasectl/ctl_store.h"
#include "leasectl/lease/change.h"
#include "leasectl/sessions/enforce.h"
#include "leasectl/sessions/registry.h"
#include "leasectl/show/lease.h"
#include "leasectl/verbs.h"
#include "lib/store/changes.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

static int apply_delete(struct ctl *ctl, const struct lease *l, const struct store_actor *by,
                        void *ctx)
{
    (void)ctx;
    enum store_rc rc = store_lease_delete(ctl->store, l, true, by);
    if (rc == STORE_NONE)
        return ctl_error(ctl, EXIT_CONFLICT,
                         "'%s' (#%" PRId64 ") is active: 'leasectl revoke %s' first", l->name,
                         l->id, l->name);
    return rc == STORE_OK ? EXIT_DONE : ctl_store_error(ctl, rc);
}

int cmd_delete(struct ctl *ctl, int argc, char **argv)
{
    static const struct option none[] = {{NULL, 0, NULL, 0}};
    struct lease before = {0};
    if (ctl_option(ctl, argc, argv, none) != -1)
        return EXIT_USAGE;
    if (argc - optind != 1)
        return ctl_usage(ctl, "delete takes one NAME or #NUMBER");
    int code = ctl_open_write(ctl);
    if (code == EXIT_DONE)
        code = change_lease(ctl, argv[optind], apply_delete, NULL, &before);
    if (code == EXIT_DONE)
        ctl_changed(ctl, "deleted '%s' (#%" PRId64 "); the audit keeps what it was", before.name,
                    before.id);
    if (code == EXIT_DONE && ctl->json)
        code = lease_print(ctl, &before); /* as it was */
    else if (code == EXIT_DONE)
        (void)puts(ctl->changed);
    /* A lease that was revoked with --keep-sessions may still have live sessions. */
    if (code == EXIT_DONE) {
        const struct enforce_scope scope = {.lease = &before};
        code = sessions_enforce(ctl, &scope);
        sessions_forget_lease(ctl, before.id);
    }
    lease_release(&before);
    return code;
}
