/* SPDX-License-Identifier: ISC */
/* leasectl renew: gives leases a later end. */
#include "leasectl/ctl_store.h"
#include "leasectl/lease/change.h"
#include "leasectl/lease/terms.h"
#include "leasectl/show/lease.h"
#include "leasectl/verbs.h"
#include "lib/lease/duration.h"
#include "lib/lease/time_text.h"
#include "lib/store/changes.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

struct request {
    int64_t expires_s;
    bool exact;    /* --until: exactly this end, even an earlier one */
    int64_t end_s; /* out: the end of the lease after the change */
};

static int apply_renew(struct ctl *ctl, const struct lease *l, const struct store_actor *by,
                       void *ctx)
{
    struct request *req = ctx;
    bool shorter = !req->exact && req->expires_s < l->expires_s;

    req->end_s = shorter ? l->expires_s : req->expires_s;
    if (l->revoked_s != 0)
        return change_refuse_revoked(ctl, l);
    if (shorter) /* --for never shortens a lease */
        return EXIT_DONE;
    struct store_conflict conflict;
    enum store_rc rc = store_lease_renew(ctl->store, l, req->expires_s, req->exact || l->fixed_end,
                                         ctl_quarantine_s(ctl), by, &conflict);
    if (rc == STORE_NONE)
        return change_refuse_revoked(ctl, l);
    if (rc == STORE_CONFLICT)
        return ctl_error(ctl, EXIT_CONFLICT,
                         "port %u, which '%s' had until it ended, is that of '%s' (#%" PRId64
                         ") now: 'leasectl set %s --listen' gives it another",
                         conflict.port, l->name, conflict.lease, conflict.lease_id, l->name);
    return rc == STORE_OK ? EXIT_DONE : ctl_store_error(ctl, rc);
}

/* items: as in change_print_item. */
static int renew_lease(struct ctl *ctl, const char *ref, struct request *req, size_t *items)
{
    char said[256], until[TIME_TEXT_BYTES], left[DURATION_TEXT_BYTES];
    struct lease before = {0};
    int code = change_lease(ctl, ref, apply_renew, req, &before);
    if (code == EXIT_DONE) {
        time_format_zoned(req->end_s, until);
        duration_format(req->end_s - ctl->now_s, left);
        (void)snprintf(said, sizeof(said), "%s '%s' (#%" PRId64 ") until %s (%s)",
                       req->end_s == req->expires_s ? "renewed" : "kept, it already lasts longer:",
                       before.name, before.id, until, left);
        code = change_print_item(ctl, before.id, said, items);
    }
    lease_release(&before);
    return code;
}

int cmd_renew(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {{"for", required_argument, NULL, 'f'},
                                            {"until", required_argument, NULL, 'u'},
                                            {NULL, 0, NULL, 0}};
    struct request req = {.expires_s = 0};
    int opt, code = EXIT_DONE, worst = EXIT_DONE;

    while (code == EXIT_DONE && (opt = ctl_option(ctl, argc, argv, options)) != -1) {
        req.exact = req.exact || opt == 'u';
        code = opt == 'f'   ? terms_parse_for(ctl, optarg, &req.expires_s)
               : opt == 'u' ? terms_parse_until(ctl, optarg, &req.expires_s)
                            : EXIT_USAGE;
    }
    if (code != EXIT_DONE)
        return code;
    if (optind == argc)
        return ctl_usage(ctl, "renew takes at least one NAME or #NUMBER");
    if (req.expires_s == 0)
        req.expires_s = ctl->now_s + ctl->conf.default_ttl_s;
    code = terms_check_end(ctl, req.expires_s);
    if (code == EXIT_DONE)
        code = ctl_open_write(ctl);
    if (code != EXIT_DONE)
        return code;
    bool several = ctl->json && argc - optind > 1;
    size_t items = 0;
    for (; optind < argc; optind++) {
        code = renew_lease(ctl, argv[optind], &req, several ? &items : NULL);
        if (code != EXIT_DONE && several)
            (void)lease_print_item(ctl, NULL, &items); /* null for a lease that was not renewed */
        if (worst == EXIT_DONE)
            worst = code;
    }
    if (several)
        lease_print_items_end(&items);
    return worst;
}
