/* SPDX-License-Identifier: ISC */
/* leasectl grant: a new lease, and the line to hand to its holder. */
#include "leasectl/ctl_store.h"
#include "leasectl/lease/grant_request.h"
#include "leasectl/lease/terms.h"
#include "leasectl/sessions/enforce.h"
#include "leasectl/show/lease.h"
#include "leasectl/verbs.h"
#include "lib/base/buf.h"
#include "lib/handout/handout.h"
#include "lib/handout/opened_agents.h"
#include "lib/base/clock.h"
#include "lib/lease/duration.h"
#include "lib/lease/time_text.h"
#include "lib/store/changes.h"
#include "lib/store/leases.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- what the admin hands on ---- */

static void warn_of_names(const struct ctl *ctl, const struct lease *granted)
{
    if (strchr(ctl->conf.public_host, '.') == NULL && strchr(ctl->conf.public_host, ':') == NULL)
        ctl_warn(ctl,
                 "the host name '%s' has no dot, so only this network knows it: set PublicHost",
                 ctl->conf.public_host);
    if (granted->open_agent_count > 0)
        terms_warn_of_jump_user(ctl, granted->open_agents[0]);
}

static void add_granted(const struct ctl *ctl, const struct lease *l, struct buf *out)
{
    char until[TIME_TEXT_BYTES], left[DURATION_TEXT_BYTES];
    time_format_zoned(l->expires_s, until);
    duration_format(l->expires_s - ctl->now_s, left);
    buf_addf(out, "granted '%s' (#%" PRId64 ") on login '%s' until %s (%s)\n\n", l->name, l->id,
             l->login, until, left);
}

/* Ends logins with the key's former permits, which closes the store, and prints what the admin
 * hands on. key is the one that was granted: granted was read afterwards, and another admin may
 * have changed its keys by then. */
static int hand_out(struct ctl *ctl, const struct lease *granted, const struct pubkey *key,
                    const struct pubkey *host_key, int64_t begun_s)
{
    struct opened_agents agents;
    struct buf text = {0};
    if (!ctl->json) {
        add_granted(ctl, granted, &text);
        opened_agents_find(ctl->store, granted, &agents);
        handout_add(&ctl->conf, granted, &agents, host_key, &text);
    } else if (lease_to_json(ctl, granted, &text) == 0) {
        buf_add(&text, "\n");
    } else {
        text.failed = true;
    }
    int code = sessions_enforce_new_key(ctl, granted, key->fingerprint, begun_s);
    warn_of_names(ctl, granted);
    if (buf_text(&text) != NULL)
        (void)fputs(buf_text(&text), stdout);
    else
        code = ctl_error(ctl, EXIT_FAILED, "out of memory");
    buf_release(&text);
    return code;
}

static int parse_arguments(struct ctl *ctl, int argc, char **argv, struct grant_request *req)
{
    static const struct option options[] = {
        GRANT_REQUEST_TERMS, {"key", required_argument, NULL, 'k'}, {NULL, 0, NULL, 0}};
    int opt, code = EXIT_DONE;

    while (code == EXIT_DONE && (opt = ctl_option(ctl, argc, argv, options)) != -1)
        code = grant_request_parse_option(ctl, req, opt, optarg);
    if (code != EXIT_DONE)
        return code;
    if (argc - optind != 1)
        return ctl_usage(ctl, "grant takes one NAME");
    return terms_set_text(ctl, "the name", argv[optind], lease_name_problem(argv[optind]),
                          req->lease.name, sizeof(req->lease.name));
}

int cmd_grant(struct ctl *ctl, int argc, char **argv)
{
    struct grant_request req = {.key_file = NULL};
    struct lease granted = {0};
    struct pubkey host_key;
    const int64_t begun_s = clock_now_s();
    int64_t id = 0;

    int code = parse_arguments(ctl, argc, argv, &req);
    if (code == EXIT_DONE)
        code = grant_request_complete(ctl, &req);
    if (code == EXIT_DONE)
        code = terms_check_permits(ctl, &req.lease);
    if (code == EXIT_DONE)
        code = terms_check_end(ctl, req.lease.expires_s);
    if (code == EXIT_DONE)
        code = grant_request_add_key(ctl, &req);
    if (code == EXIT_DONE && !ctl->json) /* the JSON has no host key */
        code = terms_read_host_key(ctl, &host_key);
    if (code == EXIT_DONE)
        code = ctl_open_write(ctl);
    if (code == EXIT_DONE)
        code = terms_check_agents(ctl, &req.lease);
    if (code == EXIT_DONE)
        code = grant_request_store(ctl, &req, &id);
    if (code == EXIT_DONE) {
        ctl_changed(ctl, "granted '%s' (#%" PRId64 ") on login '%s'", req.lease.name, id,
                    req.lease.login);
        enum store_rc rc = store_lease_by_id(ctl->store, id, &granted);
        code = rc == STORE_OK ? hand_out(ctl, &granted, &req.lease.keys[0].pub, &host_key, begun_s)
                              : ctl_store_error(ctl, rc);
    }
    lease_release(&granted);
    lease_release(&req.lease);
    return code;
}
