/* SPDX-License-Identifier: ISC */
/* leasectl revoke: final. Name and keys are free at once; the very next login is refused. */
#include "leasectl/lease_print.h"
#include "leasectl/leasectl.h"
#include "leasectl/live.h"
#include "lib/lease/duration.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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

/* One name. *ret is the lease as it is now. */
static int revoke_one(struct ctl *ctl, const char *ref, bool keep_sessions, struct lease *ret)
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

int cmd_revoke(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {{"keep-sessions", no_argument, NULL, 'k'},
                                            {NULL, 0, NULL, 0}};
    bool keep_sessions = false;
    int opt, printed = 0, worst = EXIT_DONE;

    while ((opt = ctl_option(ctl, argc, argv, options)) != -1) {
        if (opt != 'k')
            return EXIT_USAGE;
        keep_sessions = true;
    }
    if (optind == argc)
        return ctl_usage(ctl, "revoke takes at least one NAME or #NUMBER");
    int code = ctl_open_write(ctl);
    if (code != EXIT_DONE)
        return code;
    bool several = argc - optind > 1;
    if (ctl->json && several)
        (void)putchar('[');
    for (; optind < argc; optind++) {
        struct lease l = {0};
        code = revoke_one(ctl, argv[optind], keep_sessions, &l);
        if (code == EXIT_DONE) {
            if (!ctl->json)
                (void)printf("revoked '%s' (#%" PRId64 ")\n", l.name, l.id);
            else if (printed++ > 0)
                (void)putchar(',');
            if (ctl->json)
                code = lease_print(ctl, &l);
            if (code == EXIT_DONE && !keep_sessions)
                code = live_report(ctl, l.login);
        }
        lease_release(&l);
        if (worst == EXIT_DONE || (worst == EXIT_STILL_UP && code != EXIT_DONE))
            worst = code;
    }
    if (ctl->json && several)
        (void)puts("]");
    return worst;
}
