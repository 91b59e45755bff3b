/* SPDX-License-Identifier: ISC */
/* leasectl revoke: ends leases for good. Name and keys are free at once; the next login is refused.
 */
#include "leasectl/ctl_store.h"
#include "leasectl/sessions/enforce.h"
#include "leasectl/show/lease.h"
#include "leasectl/verbs.h"
#include "lib/lease/time_text.h"
#include "lib/store/changes.h"
#include "lib/store/leases.h"
#include "lib/store/transaction.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int revoke_in_store(struct ctl *ctl, const struct lease *l, bool keep_sessions)
{
    const struct store_actor by = ctl_actor(ctl);
    enum store_rc rc = store_begin(ctl->store);
    if (rc == STORE_OK)
        rc = store_lease_revoke(ctl->store, l, keep_sessions, &by);
    if (rc == STORE_OK)
        rc = store_commit(ctl->store);
    store_rollback(ctl->store);
    if (rc == STORE_NONE) {
        char when[TIME_TEXT_BYTES];
        time_format_local(l->revoked_s, when);
        return ctl_error(ctl, EXIT_CONFLICT, "'%s' (#%" PRId64 ") was revoked already, at %s",
                         l->name, l->id, when);
    }
    return rc == STORE_OK ? EXIT_DONE : ctl_store_error(ctl, rc);
}

/* Revokes one lease. EXIT_DONE and *ret, the lease as it is now, which the caller releases; or the
 * exit code with the error printed. */
static int revoke_lease(struct ctl *ctl, const char *ref, bool keep_sessions, struct lease *ret)
{
    struct lease l = {0};
    int code = ctl_find_lease(ctl, ref, &l);
    if (code == EXIT_DONE)
        code = revoke_in_store(ctl, &l, keep_sessions);
    if (code == EXIT_DONE) {
        enum store_rc rc = store_lease_by_id(ctl->store, l.id, ret);
        if (rc != STORE_OK)
            code = ctl_store_error(ctl, rc);
    }
    lease_release(&l);
    return code;
}

static int print_revoked(struct ctl *ctl, const struct lease *leases, size_t count, bool several)
{
    size_t items = 0;
    int code = EXIT_DONE;
    for (size_t i = 0; i < count; i++) {
        ctl_changed(ctl, "revoked '%s' (#%" PRId64 ")", leases[i].name, leases[i].id);
        if (!ctl->json)
            (void)puts(ctl->changed);
        else
            code =
                several ? lease_print_item(ctl, &leases[i], &items) : lease_print(ctl, &leases[i]);
    }
    if (ctl->json && several)
        lease_print_items_end(&items);
    return code;
}

int cmd_revoke(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {{"keep-sessions", no_argument, NULL, 'k'},
                                            {NULL, 0, NULL, 0}};
    bool keep_sessions = false;
    struct lease *revoked = NULL;
    size_t count = 0;
    int opt, worst = EXIT_DONE;

    while ((opt = ctl_option(ctl, argc, argv, options)) != -1) {
        if (opt != 'k')
            return EXIT_USAGE;
        keep_sessions = true;
    }
    if (optind == argc)
        return ctl_usage(ctl, "revoke takes at least one NAME or #NUMBER");
    bool several = argc - optind > 1;
    revoked = calloc((size_t)(argc - optind), sizeof(*revoked));
    if (revoked == NULL)
        return ctl_error(ctl, EXIT_FAILED, "out of memory");
    int code = ctl_open_write(ctl);
    if (code != EXIT_DONE)
        goto out;
    for (; code != EXIT_STORE && optind < argc; optind++) {
        code = revoke_lease(ctl, argv[optind], keep_sessions, &revoked[count]);
        if (code == EXIT_DONE)
            count++;
        else if (worst == EXIT_DONE)
            worst = code;
    }
    if (count > 0 || several)
        code = print_revoked(ctl, revoked, count, several);
    /* Now that all of them refuse logins, their sessions are ended. */
    for (size_t i = 0; i < count && !keep_sessions; i++) {
        const struct enforce_scope scope = {.lease = &revoked[i]};
        int enforced = sessions_enforce(ctl, &scope);
        code = code == EXIT_DONE ? enforced : code;
    }
out:
    for (size_t i = 0; i < count; i++)
        lease_release(&revoked[i]);
    free(revoked);
    return worst != EXIT_DONE ? worst : code;
}
