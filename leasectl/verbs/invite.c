/* SPDX-License-Identifier: ISC */
/* leasectl invite: a code with which somebody joins over ssh, with a key of his own. */
#include "leasectl/ctl_store.h"
#include "leasectl/host/healthz.h"
#include "leasectl/host/join_socket.h"
#include "leasectl/lease/invite_request.h"
#include "leasectl/lease/numbered.h"
#include "leasectl/lease/terms.h"
#include "leasectl/show/invited.h"
#include "leasectl/show/listing.h"
#include "leasectl/verbs.h"
#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/lease/duration.h"
#include "lib/lease/time_text.h"
#include "lib/store/invites.h"
#include "lib/wire/json.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- invite NAME ---- */

/* leased alone redeems a code. */
static void warn_of_leased(const struct ctl *ctl)
{
    struct buf why = {0};
    const bool reached = join_socket_try(&ctl->conf, &why) == 0;
    if (!reached || healthz_query(&ctl->conf, &why) != HEALTHZ_WELL)
        ctl_warn(ctl, "leased %s, so nobody can join yet: %s: see 'leasectl doctor'",
                 reached ? "is not well" : "cannot be reached", buf_text_or(&why, "out of memory"));
    buf_release(&why);
}

static void warn(const struct ctl *ctl, const struct invite *i)
{
    const char *host = ctl->conf.public_host;
    warn_of_leased(ctl);
    if (strchr(host, '.') == NULL && strchr(host, ':') == NULL)
        ctl_warn(ctl,
                 "the host name '%s' has no dot, so only this network knows it: set PublicHost",
                 host);
    if (i->terms.open_agent_count > 0)
        terms_warn_of_jump_user(ctl, i->terms.open_agents[0]);
}

static int make_invite(struct ctl *ctl, const char *name, struct invite_request *req)
{
    const struct invite *i = &req->invite;
    struct lease *l = &req->grant.lease;
    struct pubkey host_key;
    int code =
        terms_set_text(ctl, "the name", name, lease_name_problem(name), l->name, sizeof(l->name));
    if (code == EXIT_DONE)
        code = invite_request_complete(ctl, req);
    if (code == EXIT_DONE)
        code = terms_read_host_key(ctl, &host_key);
    if (code == EXIT_DONE)
        code = ctl_open_write(ctl);
    if (code == EXIT_DONE)
        code = terms_check_agents(ctl, &i->terms);
    if (code == EXIT_DONE)
        code = invite_request_store(ctl, req);
    ctl_close(ctl);
    if (code == EXIT_DONE) {
        ctl_changed(ctl, "invited '%s' (invite #%" PRId64 ")", i->terms.name, i->id);
        code = invited_print(ctl, i, req->code, &host_key);
        warn(ctl, i);
    }
    return code;
}

/* ---- invite list ---- */

static const char *state_of(const struct invite *i, int64_t now_s)
{
    if (!i->is_open)
        return "spent";
    return i->expires_s > now_s ? "open" : "over";
}

/* The lease to be, as the options that asked for it. */
static void add_terms(const struct invite *i, struct buf *out)
{
    char ttl[DURATION_TEXT_BYTES], until[TIME_TEXT_BYTES];
    const struct lease *l = &i->terms;
    struct buf list = {0};
    buf_addf(out, "%slogin %s", i->replaces ? "replace, " : "", l->login);
    lease_open_format(l, &list);
    if (list.len > 0)
        buf_addf(out, ", open %s", buf_text_or(&list, "?"));
    buf_clear(&list);
    permit_list_format(&l->listen, &list);
    if (list.len > 0)
        buf_addf(out, ", listen %s", buf_text_or(&list, "?"));
    buf_clear(&list);
    source_list_format(&l->from, &list);
    if (list.len > 0)
        buf_addf(out, ", from %s", buf_text_or(&list, "?"));
    buf_release(&list);
    if (l->max_sessions != 0)
        buf_addf(out, ", max-sessions %u", l->max_sessions);
    duration_format(i->ttl_s, ttl);
    time_format_rfc3339(l->expires_s, until);
    buf_addf(out, ", %s %s", i->ttl_s != 0 ? "for" : "until", i->ttl_s != 0 ? ttl : until);
    if (l->note[0] != '\0')
        buf_addf(out, ", note %s", l->note);
}

static int add_json_row(struct listing *list, const struct invite *i, const char *terms)
{
    char created[TIME_TEXT_BYTES], until[TIME_TEXT_BYTES];
    const bool spent = !i->is_open;
    time_format_rfc3339(i->created_s, created);
    time_format_rfc3339(i->expires_s, until);
    const struct json_field fields[] = {
        {.name = "id", .is_number = true, .number = i->id},
        {.name = "name", .text = i->terms.name},
        {.name = "kind", .text = i->is_agent ? "agent" : "friend"},
        {.name = "state", .text = state_of(i, list->ctl->now_s)},
        {.name = "created_at", .text = created},
        {.name = "expires_at", .text = spent ? NULL : until},
        {.name = "spent_at", .text = spent ? until : NULL},
        {.name = "lease_id", .is_number = spent, .number = i->lease_id},
        {.name = "fingerprint", .text = spent ? i->fingerprint : NULL},
        {.name = "terms", .text = terms}};
    return listing_add_object(list, fields, sizeof(fields) / sizeof(fields[0]));
}

static void add_table_row(struct listing *list, const struct invite *i, const char *terms)
{
    char id[24], lease[24] = "", until[TIME_TEXT_BYTES];
    (void)snprintf(id, sizeof(id), "%" PRId64, i->id);
    if (!i->is_open)
        (void)snprintf(lease, sizeof(lease), "%" PRId64, i->lease_id);
    if (list->ctl->terminal)
        time_format_local(i->expires_s, until);
    else
        time_format_rfc3339(i->expires_s, until);
    table_add(&list->table, id);
    table_add(&list->table, i->terms.name);
    table_add(&list->table, i->is_agent ? "agent" : "friend");
    table_add(&list->table, state_of(i, list->ctl->now_s));
    table_add(&list->table, until);
    table_add(&list->table, lease);
    table_add(&list->table, i->fingerprint);
    table_add(&list->table, terms);
}

struct rows {
    struct listing list;
    bool has_open;
};

static int add_row(void *arg, const struct invite *i)
{
    struct rows *rows = arg;
    struct listing *list = &rows->list;
    struct buf terms = {0};
    int rc = 0;
    rows->has_open = rows->has_open || (i->is_open && i->expires_s > list->ctl->now_s);
    add_terms(i, &terms);
    if (list->ctl->json)
        rc = add_json_row(list, i, buf_text_or(&terms, "?"));
    else
        add_table_row(list, i, buf_text_or(&terms, "?"));
    buf_release(&terms);
    return rc;
}

/* It stays open, since its name is kept, and it is good again when JoinLogin is back. Where a line
 * of the configuration is wrong, that was said, and it may be this one. */
static void warn_of_no_login(const struct ctl *ctl)
{
    struct buf why = {0};
    if (!invite_can_be_redeemed(ctl, &why) && !ctl->conf_is_partial)
        ctl_warn(ctl, "%s; an open invite is good again then, until it is over",
                 buf_text_or(&why, "out of memory"));
    buf_release(&why);
}

static int list_invites(struct ctl *ctl)
{
    static const char *const headings[] = {"ID",    "NAME", "KIND",  "STATE", "UNTIL",
                                           "LEASE", "KEY",  "TERMS", NULL};
    struct rows rows = {.has_open = false};
    int code = ctl_open_read(ctl);
    if (code != EXIT_DONE)
        return code;
    listing_begin(&rows.list, ctl, headings);
    enum store_rc rc = store_invite_list(ctl->store, add_row, &rows);
    code = listing_end(&rows.list, rc == STORE_OK ? EXIT_DONE : ctl_store_error(ctl, rc));
    if (code == EXIT_DONE && rows.has_open)
        warn_of_no_login(ctl);
    return code;
}

/* ---- invite revoke ---- */

struct sought {
    int64_t id;
    struct buf *out;
};

static int add_lease_that_stays(void *arg, const struct invite *i)
{
    const struct sought *s = arg;
    if (i->id == s->id && !i->is_open)
        buf_addf(s->out,
                 "it was spent, and the lease #%" PRId64
                 " of who has joined with it stays: 'leasectl revoke \"#%" PRId64 "\"' ends it",
                 i->lease_id, i->lease_id);
    return 0;
}

static enum store_rc what_stays(struct store *st, int64_t id, struct buf *out)
{
    struct sought s = {id, out};
    return store_invite_list(st, add_lease_that_stays, &s);
}

int cmd_invite(struct ctl *ctl, int argc, char **argv)
{
    static const struct numbered invites = {"invite", store_invite_revoke, what_stays};
    static const struct option options[] = {
        GRANT_REQUEST_TERMS, INVITE_REQUEST_TERMS, {NULL, 0, NULL, 0}};
    struct invite_request req = {.port = 0};
    bool terms = false;
    int opt, code = EXIT_DONE;

    while (code == EXIT_DONE && (opt = ctl_option(ctl, argc, argv, options)) != -1) {
        terms = true;
        code = invite_request_parse_option(ctl, &req, opt, optarg);
    }
    const int words = argc - optind;
    const char *first = words > 0 ? argv[optind] : "";
    const bool is_list = strcmp(first, "list") == 0, is_revoke = strcmp(first, "revoke") == 0;
    if (code != EXIT_DONE)
        goto out;
    if (is_list && words == 1 && !terms)
        code = list_invites(ctl);
    else if (is_revoke && words == 2 && !terms)
        code = numbered_revoke(ctl, &invites, argv[optind + 1]);
    else if (words == 1 && !is_list && !is_revoke)
        code = make_invite(ctl, first, &req);
    else
        code = ctl_usage(ctl, "invite takes one NAME, or list, or revoke ID");
out:
    invite_request_release(&req);
    return code;
}
