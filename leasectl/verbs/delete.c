/* SPDX-License-Identifier: ISC */
/* leasectl delete: removes the row of a lease that is not active. */
#include "leasectl/ctl_store.h"
#include "leasectl/lease/change.h"
#include "leasectl/rehearsal/rehearsal.h"
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
    if (rc != STORE_OK)
        return ctl_store_error(ctl, rc);
    const struct enforce_scope scope = {.lease = l};
    int code = rehearsal_note_lease(ctl, "delete", l, "");
    return code == EXIT_DONE ? rehearsal_judge(ctl, &scope) : code;
}

static int change(struct ctl *ctl, const char *ref, struct lease *ret_before)
{
    int code = ctl_open_write(ctl);
    return code == EXIT_DONE ? change_lease(ctl, ref, apply_delete, NULL, ret_before) : code;
}

static int change_in_rehearsal(struct ctl *ctl, void *ref)
{
    struct lease before = {0};
    int code = change(ctl, ref, &before);
    lease_release(&before);
    return code;
}

int cmd_delete(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {REHEARSAL_OPTIONS, {NULL, 0, NULL, 0}};
    struct rehearsal_options rehearsal = {.dry_run = false};
    struct lease before = {0};
    bool go_on;
    int opt;
    while ((opt = ctl_option(ctl, argc, argv, options)) != -1)
        if (!rehearsal_take_option(&rehearsal, opt))
            return EXIT_USAGE;
    if (argc - optind != 1)
        return ctl_usage(ctl, "delete takes one NAME or #NUMBER");
    int code = rehearse(ctl, &rehearsal, change_in_rehearsal, argv[optind], &go_on);
    if (!go_on)
        return code;
    code = change(ctl, argv[optind], &before);
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
