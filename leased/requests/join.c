/* SPDX-License-Identifier: ISC */
#include "leased/requests/join.h"

#include "leased/requests/join_answer.h"
#include "leased/requests/join_guesses.h"
#include "leased/requests/join_lease.h"
#include "leased/requests/refuse.h"
#include "leased/requests/request_context.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/secret.h"
#include "lib/conf/conf.h"
#include "lib/lease/ceiling.h"
#include "lib/lease/invite_code.h"
#include "lib/lease/lease.h"
#include "lib/lease/time_text.h"
#include "lib/session/join_session.h"
#include "lib/store/freezes.h"
#include "lib/store/leases.h"
#include "lib/store/login.h"
#include "lib/store/taken.h"
#include "lib/wire/join_exit.h"

#include <bsd/string.h>
#include <string.h>

/* ---- the code ---- */

static enum store_rc refuse_guess(struct joining *j, const char *why)
{
    if (!join_guesses_add(j->ctx->guesses, j->source, clock_monotonic_ms(), j->ctx->now_s))
        why = "too many wrong codes";
    return join_refuse_code(j->ret, why);
}

/* The lease of an invite that this key has just spent, as it is now. Whose key was taken out of it
 * since, by an admin or by who joined in its place, is nobody to it: a new secret for him would
 * make that of the other one void. */
static enum store_rc answer_again(struct joining *j)
{
    struct lease l = {0};
    enum store_rc rc = store_lease_by_id(j->ctx->store, j->invite.lease_id, &l);
    if (rc == STORE_NONE || (rc == STORE_OK && l.revoked_s != 0)) {
        rc = refuse_guess(j, "its lease is revoked");
        goto out;
    }
    if (rc == STORE_OK && !lease_has_key(&l, j->key.fingerprint)) {
        rc = refuse_guess(j, "its key was removed");
        goto out;
    }
    if (rc == STORE_OK && j->invite.is_agent)
        rc = join_lease_secret_again(j, l.name);
    j->ret->is_again = true;
    if (rc == STORE_OK)
        rc = join_accept(j, l.id);
out:
    lease_release(&l);
    return rc;
}

/* Finds the invite. Answers if there is none that can be spent. */
static enum store_rc check_code(struct joining *j, const char *code)
{
    char canonical[INVITE_CODE_BYTES];
    uint8_t hash[SECRET_HASH_BYTES];
    struct invite *i = &j->invite;
    const int64_t now_s = j->ctx->now_s;
    if (invite_code_parse(code, canonical) != NULL)
        return refuse_guess(j, "not a code");
    secret_hash(canonical, hash);
    explicit_bzero(canonical, sizeof(canonical));
    enum store_rc rc = store_invite_find(j->ctx->store, hash, i);
    if (rc == STORE_NONE)
        return refuse_guess(j, "no such code");
    if (rc != STORE_OK)
        return rc;
    j->ret->invite_id = i->id;
    if (!i->is_open && strcmp(i->fingerprint, j->key.fingerprint) == 0 &&
        now_s - i->spent_s <= INVITE_REPEAT_S && now_s >= i->spent_s)
        return answer_again(j);
    if (!i->is_open)
        return refuse_guess(j, "spent");
    if (i->expires_s <= now_s || join_lease_end_s(j) <= now_s)
        return refuse_guess(j, "over");
    return STORE_OK;
}

/* ---- what the invite is for, freeze, key, source, ceiling ---- */

static enum store_rc check_kind(struct joining *j)
{
    if (!j->lease_only || !j->invite.is_agent)
        return STORE_OK;
    return join_refuse(
        j->ret, JOIN_TAKEN, "kind",
        "The invite is for the private host '%s', and a lease to use was asked for.\n"
        "The invite was not spent: 'tunnel-agent join' redeems it on that host, and "
        "'leasectl invite' without --agent makes one for you.\n",
        j->invite.terms.name);
}

static enum store_rc check_freeze(struct joining *j)
{
    struct login_freeze freeze;
    enum store_rc rc = store_login_frozen(j->ctx->store, j->invite.terms.login, &freeze);
    /* akc asks for JoinLogin, too; but this connection may be older than the freeze. */
    if (rc == STORE_NONE)
        rc = store_login_frozen(j->ctx->store, j->ctx->conf->join_login, &freeze);
    if (rc == STORE_OK)
        return join_refuse(j->ret, JOIN_UNAVAILABLE, "frozen",
                           "This gateway lets nobody in just now: an admin has frozen it.\n"
                           "The invite was not spent: try again later.\n");
    return rc == STORE_NONE ? STORE_OK : rc;
}

static enum store_rc check_key(struct joining *j)
{
    const char *login = j->invite.terms.login;
    struct store_conflict holder;
    enum store_rc rc =
        store_key_holder(j->ctx->store, login, j->key.fingerprint, j->ctx->now_s, &holder);
    /* A private host that was reinstalled may have kept its key. */
    if (rc == STORE_OK && (!j->invite.replaces || strcmp(holder.lease, j->invite.terms.name) != 0))
        return join_refuse_key(j, "key", "holds a lease here already");
    if (rc == STORE_NONE)
        rc = store_key_was_held(j->ctx->store, login, j->key.fingerprint);
    else if (rc == STORE_OK)
        return STORE_OK;
    if (rc == STORE_OK)
        return join_refuse_key(j, "revoked", "was revoked here");
    return rc == STORE_NONE ? STORE_OK : rc;
}

static enum store_rc check_source(struct joining *j)
{
    const struct source_list *from = &j->invite.terms.from;
    struct buf text = {0};
    enum store_rc rc = STORE_OK;
    if (source_list_matches(from, j->source))
        return STORE_OK;
    source_list_format(from, &text);
    rc = join_refuse(j->ret, JOIN_CEILING, "source",
                     "The invite is for %s alone, and you come from %s.\nIt was not spent: connect "
                     "from there, or ask whoever sent it.\n",
                     buf_text_or(&text, "?"), j->source[0] != '\0' ? j->source : "elsewhere");
    buf_release(&text);
    return rc;
}

static enum store_rc refuse_ceiling(struct joining *j, const char *what, const char *problem)
{
    return join_refuse(j->ret, JOIN_CEILING, "ceiling",
                       "The gateway allows less than it did when you were invited: %s: %s.\n"
                       "The invite was not spent: ask whoever sent it.\n",
                       what, problem);
}

static enum store_rc check_permits(struct joining *j, const struct permit_list *list,
                                   const char *(*problem_of)(const struct ceiling *, const char *,
                                                             const struct permit *))
{
    char text[PERMIT_TEXT_BYTES];
    for (size_t i = 0; i < list->count; i++) {
        const char *problem =
            problem_of(&j->ctx->conf->ceiling, j->invite.terms.login, &list->items[i]);
        if (problem == NULL)
            continue;
        permit_format(&list->items[i], text);
        return refuse_ceiling(j, text, problem);
    }
    return STORE_OK;
}

static enum store_rc check_ceiling(struct joining *j)
{
    const struct conf *conf = j->ctx->conf;
    const struct lease *t = &j->invite.terms;
    char until[TIME_TEXT_BYTES];
    if (conf->max_ttl_s != 0 && join_lease_end_s(j) > j->ctx->now_s + conf->max_ttl_s) {
        time_format_zoned(join_lease_end_s(j), until);
        return refuse_ceiling(j, until, "MaxTTL is shorter");
    }
    if (strcmp(t->login, j->invite.is_agent ? conf->agent_login : t->login) != 0)
        return refuse_ceiling(j, t->login, "AgentLogin is another");
    enum store_rc rc = check_permits(j, &t->open, ceiling_open_problem);
    if (rc == STORE_OK && j->ret->text == NULL)
        rc = check_permits(j, &t->listen, ceiling_listen_problem);
    return rc;
}

/* ---- all ---- */

static enum store_rc decide(struct joining *j, const char *code)
{
    enum store_rc (*const checks[])(struct joining *) = {
        check_kind, check_freeze, check_key, check_source, check_ceiling, join_lease_take};
    enum store_rc rc = check_code(j, code);
    for (size_t i = 0;
         rc == STORE_OK && j->ret->text == NULL && i < sizeof(checks) / sizeof(checks[0]); i++)
        rc = checks[i](j);
    return rc;
}

static enum store_rc refuse_unknown(struct join_result *ret, const char *why)
{
    return join_refuse(ret, JOIN_UNAVAILABLE, why,
                       "The gateway could not tell which key you came with.\nNothing was spent: "
                       "connect again.\n");
}

enum store_rc join_decide_as(const struct request_context *ctx, const struct control_request *r,
                             const struct session *conn, struct join_result *ret)
{
    struct joining j = {.ctx = ctx,
                        .wants_json = r->wants_json != 0,
                        .lease_only = r->lease_only != 0,
                        .by = {.who = "join", .source = conn->source, .now_s = ctx->now_s},
                        .source = conn->source,
                        .ret = ret};
    const char *key = control_request_get(r, CONTROL_PUBLIC_KEY);
    (void)strlcpy(ret->client, conn->source, sizeof(ret->client));
    if (pubkey_parse_file(key, strlen(key), &j.key) != NULL)
        return refuse_unknown(ret, "the key is none");
    (void)strlcpy(ret->fingerprint, j.key.fingerprint, sizeof(ret->fingerprint));
    if (strcmp(j.key.fingerprint, conn->fingerprint) != 0)
        return refuse_unknown(ret, "the key is not that of the connection");
    enum store_rc rc = decide(&j, control_request_get(r, CONTROL_CREDENTIAL));
    explicit_bzero(j.secret, sizeof(j.secret));
    invite_release(&j.invite);
    return rc;
}

enum store_rc join_decide(const struct request_context *ctx, const struct control_request *r,
                          struct join_result *ret, struct control_answer *a)
{
    const struct conf *conf = ctx->conf;
    struct session conn = {.pid = 0};
    enum store_rc rc = STORE_OK;
    a->code = CONTROL_OK;
    if (conf->join_login[0] == '\0')
        return refuse_unknown(ret, "JoinLogin is not set");
    switch (join_session_of(conf->paths.run_dir, r->peer_pid, &conn)) {
    case SIGHT_IS_NOT:
        return refuse_unknown(ret, "the process is of no join connection");
    case SIGHT_CANNOT_TELL:
        return refuse_unknown(ret, "the registry of join connections cannot be read");
    case SIGHT_IS:
        break;
    }
    /* The registry is root's, and names the user of the connection. */
    if (r->peer_uid == 0 || conn.uid != r->peer_uid || strcmp(conn.login, conf->join_login) != 0)
        rc = refuse(a, CONTROL_FORBIDDEN, "only the program of JoinLogin may ask here");
    else
        rc = join_decide_as(ctx, r, &conn, ret);
    session_release(&conn);
    return rc;
}
