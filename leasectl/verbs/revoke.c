/* SPDX-License-Identifier: ISC */
/* leasectl revoke: ends leases for good. Name and keys are free at once; the next login is refused.
 */
#include "leasectl/ctl_store.h"
#include "leasectl/rehearsal/rehearsal.h"
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

/* In a rehearsal, shows what the revocation ends, while it is in the store. */
static int show_in_rehearsal(struct ctl *ctl, const struct lease *l, bool keep_sessions)
{
    const struct enforce_scope scope = {.lease = l};
    int code = rehearsal_note_lease(ctl, "revoke", l, "");
    return code == EXIT_DONE && !keep_sessions ? rehearsal_judge(ctl, &scope) : code;
}

static int revoke_in_store(struct ctl *ctl, const struct lease *l, bool keep_sessions)
{
    const struct store_actor by = ctl_actor(ctl);
    int code = EXIT_DONE;
    enum store_rc rc = store_begin(ctl->store);
    if (rc == STORE_OK)
        rc = store_lease_revoke(ctl->store, l, keep_sessions, &by);
    if (rc == STORE_OK)
        code = show_in_rehearsal(ctl, l, keep_sessions);
    if (rc == STORE_OK && code == EXIT_DONE)
        rc = rehearsal_commit(ctl);
    store_rollback(ctl->store);
    if (rc == STORE_NONE) {
        char when[TIME_TEXT_BYTES];
        time_format_local(l->revoked_s, when);
        return ctl_error(ctl, EXIT_CONFLICT, "'%s' (#%" PRId64 ") was revoked already, at %s",
                         l->name, l->id, when);
    }
    return rc == STORE_OK ? code : ctl_store_error(ctl, rc);
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

struct request {
    char **refs;
    size_t count;
    bool keep_sessions;
};

/* Revokes all that are named: one that cannot be revoked stops no other. *ret_revoked gets those
 * that were, and has room for all. The code of the first that could not be. */
static int revoke_all(struct ctl *ctl, const struct request *req, struct lease *ret_revoked,
                      size_t *ret_count)
{
    int worst = EXIT_DONE, code = ctl_open_write(ctl);
    if (code != EXIT_DONE)
        return code;
    for (size_t i = 0; code != EXIT_STORE && i < req->count; i++) {
        code = revoke_lease(ctl, req->refs[i], req->keep_sessions, &ret_revoked[*ret_count]);
        if (code == EXIT_DONE)
            (*ret_count)++;
        else if (worst == EXIT_DONE)
            worst = code;
    }
    return worst;
}

static int revoke_in_rehearsal(struct ctl *ctl, void *arg)
{
    const struct request *req = arg;
    size_t count = 0;
    struct lease *revoked = calloc(req->count, sizeof(*revoked));
    if (revoked == NULL)
        return ctl_error(ctl, EXIT_FAILED, "out of memory");
    int code = revoke_all(ctl, req, revoked, &count);
    for (size_t i = 0; i < count; i++)
        lease_release(&revoked[i]);
    free(revoked);
    return code;
}

static int revoke_and_end(struct ctl *ctl, const struct request *req)
{
    size_t count = 0;
    int code = EXIT_DONE;
    struct lease *revoked = calloc(req->count, sizeof(*revoked));
    if (revoked == NULL)
        return ctl_error(ctl, EXIT_FAILED, "out of memory");
    const int worst = revoke_all(ctl, req, revoked, &count);
    if (count > 0 || (req->count > 1 && ctl->store != NULL))
        code = print_revoked(ctl, revoked, count, req->count > 1);
    /* Now that all of them refuse logins, their sessions are ended, all at once. */
    if (count > 0 && !req->keep_sessions) {
        const struct enforce_scope scope = {.lease = revoked, .lease_count = count};
        int enforced = sessions_enforce(ctl, &scope);
        code = code == EXIT_DONE ? enforced : code;
    }
    for (size_t i = 0; i < count; i++)
        lease_release(&revoked[i]);
    free(revoked);
    return worst != EXIT_DONE ? worst : code;
}

int cmd_revoke(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {
        {"keep-sessions", no_argument, NULL, 'k'}, REHEARSAL_OPTIONS, {NULL, 0, NULL, 0}};
    struct rehearsal_options rehearsal = {.dry_run = false};
    struct request req = {.keep_sessions = false};
    bool go_on;
    int opt;

    while ((opt = ctl_option(ctl, argc, argv, options)) != -1)
        if (opt == 'k')
            req.keep_sessions = true;
        else if (!rehearsal_take_option(&rehearsal, opt))
            return EXIT_USAGE;
    if (optind == argc)
        return ctl_usage(ctl, "revoke takes at least one NAME or #NUMBER");
    req.refs = argv + optind;
    req.count = (size_t)(argc - optind);
    int code = rehearse(ctl, &rehearsal, revoke_in_rehearsal, &req, &go_on);
    return go_on ? revoke_and_end(ctl, &req) : code;
}
