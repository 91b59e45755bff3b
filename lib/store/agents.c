/* SPDX-License-Identifier: ISC */
#include "lib/store/agents.h"

#include "lib/base/buf.h"
#include "lib/lease/agent_copies.h"
#include "lib/lease/lease.h"
#include "lib/lease/reissue.h"
#include "lib/store/beats.h"
#include "lib/store/failure.h"
#include "lib/store/lease_add.h"
#include "lib/store/leases.h"
#include "lib/store/note.h"
#include "lib/store/statement.h"
#include "lib/store/turn.h"

#include <bsd/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

enum {
    COL_ID,
    COL_LOGIN,
    COL_KIND,
    COL_LIVE,
    COL_LISTEN,
    COL_CREATED,
    COL_EXPIRES,
    COL_LAST_LOGIN,
    COL_HEARTBEAT,
    COL_FIXED_END,
    COL_SECRET_HASH,
    COL_SECRET_USED,
    COL_TOKEN,
    COL_NAME,
    COL_MAX_SESSIONS
};

/* The port of an agent's one listen permit. A granted lease may have no port, or several. */
static uint16_t port_of(const char *listen)
{
    const char *colon = strrchr(listen, ':');
    unsigned long port = colon != NULL ? strtoul(colon + 1, NULL, 10) : 0;
    return port <= UINT16_MAX ? (uint16_t)port : 0;
}

static enum store_rc read_agent(struct store *st, sqlite3_stmt *s, struct agent *ret)
{
    struct agent a = {
        .id = sqlite3_column_int64(s, COL_ID),
        .is_agent = strcmp(column_text(s, COL_KIND), "agent") == 0,
        .revoked = sqlite3_column_int64(s, COL_LIVE) != 1,
        .port = port_of(column_text(s, COL_LISTEN)),
        .created_s = sqlite3_column_int64(s, COL_CREATED),
        .expires_s = sqlite3_column_int64(s, COL_EXPIRES),
        .last_login_s = sqlite3_column_int64(s, COL_LAST_LOGIN),
        .heartbeat_ms = sqlite3_column_int64(s, COL_HEARTBEAT),
        .fixed_end = sqlite3_column_int64(s, COL_FIXED_END) != 0,
        .secret_used = sqlite3_column_int64(s, COL_SECRET_USED) != 0,
        .token_id = sqlite3_column_int64(s, COL_TOKEN),
        .is_frozen = sqlite3_column_int64(s, COL_MAX_SESSIONS) < 0,
    };
    if (column_copy(s, COL_NAME, a.name, sizeof(a.name)) != 0 ||
        column_copy(s, COL_LOGIN, a.login, sizeof(a.login)) != 0)
        return store_damaged(st, "name", a.id);
    const void *hash = sqlite3_column_blob(s, COL_SECRET_HASH);
    a.has_secret = hash != NULL && sqlite3_column_bytes(s, COL_SECRET_HASH) == SECRET_HASH_BYTES;
    if (a.has_secret)
        memcpy(a.secret_hash, hash, SECRET_HASH_BYTES);
    *ret = a;
    return STORE_OK;
}

static enum store_rc find_agent(struct store *st, enum stmt_id stmt, const char *name,
                                struct agent *ret)
{
    sqlite3_stmt *s = statement_get(st, stmt);
    if (s == NULL)
        return STORE_FAIL;
    bind_text(s, ":name", name);
    enum store_rc rc = statement_step(st, s);
    if (rc == STORE_OK)
        rc = read_agent(st, s, ret);
    statement_done(s);
    return rc;
}

enum store_rc store_agent_find(struct store *st, const char *name, struct agent *ret)
{
    enum store_rc rc = find_agent(st, STMT_AGENT_FIND, name, ret);
    return rc == STORE_NONE ? find_agent(st, STMT_AGENT_FIND_DEAD, name, ret) : rc;
}

enum store_rc store_agent_facts(struct store *st, int64_t id, char out[static AGENT_FACTS_BYTES])
{
    sqlite3_stmt *s = statement_get(st, STMT_AGENT_FACTS);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":id", id);
    enum store_rc rc = statement_step(st, s);
    if (rc == STORE_OK && column_copy(s, 0, out, AGENT_FACTS_BYTES) != 0)
        rc = store_damaged(st, "agent's facts", id);
    statement_done(s);
    return rc;
}

enum store_rc store_agent_has_key(struct store *st, int64_t id, const char *fingerprint)
{
    sqlite3_stmt *s = statement_get(st, STMT_AGENT_KEY);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":id", id);
    bind_text(s, ":fingerprint", fingerprint);
    enum store_rc rc = statement_step(st, s);
    statement_done(s);
    return rc;
}

enum store_rc store_agent_key_is_revoked(struct store *st, const char *login,
                                         const char *fingerprint)
{
    struct lease l = {0};
    sqlite3_stmt *s = statement_get(st, STMT_AGENT_KEY_REVOKED);
    if (s == NULL)
        return STORE_FAIL;
    bind_text(s, ":fingerprint", fingerprint);
    bind_text(s, ":login", login);
    enum store_rc rc = statement_step(st, s);
    int64_t id = rc == STORE_OK ? sqlite3_column_int64(s, 0) : 0;
    statement_done(s);
    if (rc != STORE_OK)
        return rc;
    rc = store_lease_by_id(st, id, &l);
    bool barred = rc == STORE_OK && l.revoked_s != 0;
    lease_release(&l);
    return rc != STORE_OK ? rc : barred ? STORE_OK : STORE_NONE;
}

enum store_rc store_agent_list(struct store *st, bool all, store_agent_fn fn, void *ctx)
{
    enum store_rc rc;
    sqlite3_stmt *s = statement_get(st, STMT_AGENT_LIST);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":all", all ? 1 : 0);
    while ((rc = statement_step(st, s)) == STORE_OK) {
        struct agent a;
        rc = read_agent(st, s, &a);
        if (rc == STORE_OK && fn(ctx, &a) != 0)
            rc = store_failed_because(st, "stopped by the caller");
        if (rc != STORE_OK)
            break;
    }
    statement_done(s);
    return rc == STORE_NONE ? STORE_OK : rc;
}

enum store_rc store_agents_copied(struct store *st, store_copied_fn fn, void *ctx)
{
    enum store_rc rc;
    sqlite3_stmt *s = statement_get(st, STMT_AGENTS_COPIED);
    if (s == NULL)
        return STORE_FAIL;
    while ((rc = statement_step(st, s)) == STORE_OK) {
        struct agent_copies copies;
        agent_copies_parse(column_text(s, 1), &copies);
        if (fn(ctx, column_text(s, 0), &copies, sqlite3_column_int64(s, 2) < 0) != 0) {
            rc = store_failed_because(st, "stopped by the caller");
            break;
        }
    }
    statement_done(s);
    return rc == STORE_NONE ? STORE_OK : rc;
}

enum store_rc store_agents_pending(struct store *st, int64_t *ret_count)
{
    return statement_number(st, STMT_AGENTS_PENDING, ret_count);
}

/* ---- changing ---- */

enum store_rc store_agent_update(struct store *st, int64_t id, const struct agent_update *u)
{
    sqlite3_stmt *s = statement_get(st, STMT_AGENT_UPDATE);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":id", id);
    bind_int(s, ":secret_used", u->secret_used ? 1 : 0);
    bind_int(s, ":token_id", u->token_id);
    bind_text(s, ":facts", u->facts);
    /* A parameter that is not bound is NULL, and leaves its column unchanged. */
    if (u->secret_hash != NULL)
        bind_blob(s, ":secret_hash", u->secret_hash, SECRET_HASH_BYTES);
    if (u->heartbeat_ms != 0)
        bind_int(s, ":heartbeat_ms", u->heartbeat_ms);
    if (u->expires_s != 0)
        bind_int(s, ":expires_s", u->expires_s);
    bind_turn(s, ":turn", &u->counter);
    return statement_change(st, s);
}

enum store_rc store_agent_add(struct store *st, const struct lease *l, int64_t token_id,
                              const char *facts, int64_t quarantine_s, const struct store_actor *by,
                              int64_t *ret_id, struct store_conflict *ret_conflict)
{
    const struct agent_update u = {.token_id = token_id, .facts = facts};
    enum store_rc rc = add_lease(st, "agent", 0, l, quarantine_s, by, ret_id, ret_conflict);
    return rc == STORE_OK ? store_agent_update(st, *ret_id, &u) : rc;
}

static enum store_rc set_facts(struct store *st, int64_t id, const struct buf *facts)
{
    if (facts->failed || facts->len >= AGENT_FACTS_BYTES)
        return store_failed_because(st, "what the agent said of itself is too long");
    sqlite3_stmt *s = statement_get(st, STMT_AGENT_FACTS_SET);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":id", id);
    bind_text(s, ":facts", facts->len > 0 ? facts->data : "");
    return statement_change(st, s);
}

enum store_rc store_agent_set_copies(struct store *st, int64_t id, const struct agent_copies *c)
{
    char before[AGENT_FACTS_BYTES];
    struct buf facts = {0};
    enum store_rc rc = store_agent_facts(st, id, before);
    if (rc == STORE_OK) {
        agent_copies_replace(before, c, &facts);
        rc = set_facts(st, id, &facts);
    }
    buf_release(&facts);
    return rc;
}

/* The facts with a reset of the secret and of the counter. */
static enum store_rc format_reset(const char *before, const struct reissue *reset, const char *from,
                                  struct agent_copies *ret_copies, struct buf *out)
{
    struct buf reissued = {0};
    struct agent_copies c;
    agent_copies_parse(before, ret_copies);
    c = *ret_copies;
    agent_copies_settle(&c);
    c.reset_wall_s = reset->wall_s;
    c.reset_boot_s = reset->boot_s > 0 ? reset->boot_s : 1;
    (void)strlcpy(c.reset_from, from, sizeof(c.reset_from));
    reissue_replace(before, reset, &reissued);
    if (buf_text(&reissued) != NULL)
        agent_copies_replace(buf_text(&reissued), &c, out);
    buf_release(&reissued);
    return buf_text(out) != NULL ? STORE_OK : STORE_FAIL;
}

enum store_rc store_agent_reset(struct store *st, const struct agent *a, int64_t boot_s,
                                const char *from, const struct store_actor *by,
                                struct agent_copies *ret_copies)
{
    const struct reissue reset = {
        .since = REISSUE_RESET, .wall_s = by->now_s, .boot_s = boot_s, .login_s = a->last_login_s};
    char before[AGENT_FACTS_BYTES], detail[COPIES_FROM_BYTES + 8] = "";
    struct buf facts = {0};
    enum store_rc rc = store_agent_facts(st, a->id, before);
    if (rc != STORE_OK)
        return rc;
    if (format_reset(before, &reset, from, ret_copies, &facts) != STORE_OK)
        rc = store_failed_because(st, "out of memory");
    if (rc == STORE_OK)
        rc = set_facts(st, a->id, &facts);
    if (rc == STORE_OK && a->is_frozen)
        rc = store_agent_freeze(st, a->id, false);
    if (from[0] != '\0')
        (void)snprintf(detail, sizeof(detail), "from=%s", from);
    if (rc == STORE_OK)
        rc = store_note(st, by, "agent_reset", a->id, a->name, detail);
    buf_release(&facts);
    return rc;
}

enum store_rc store_agent_freeze(struct store *st, int64_t id, bool is_frozen)
{
    sqlite3_stmt *s = statement_get(st, STMT_AGENT_FREEZE);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":id", id);
    bind_int(s, ":max_sessions", is_frozen ? -1 : 0);
    return statement_change(st, s);
}

enum store_rc store_agent_counter(struct store *st, int64_t id, struct agent_counter *ret)
{
    sqlite3_stmt *s = statement_get(st, STMT_AGENT_TURN);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":id", id);
    enum store_rc rc = statement_step(st, s);
    if (rc == STORE_OK)
        column_turn(s, 0, ret);
    statement_done(s);
    return rc;
}

enum store_rc store_agent_forget_counter(struct store *st, int64_t id)
{
    enum store_rc rc = statement_change_row(st, STMT_AGENT_TURN_FORGET, id, 0);
    sqlite3_stmt *s = rc == STORE_OK ? statement_get(st, STMT_BEAT_TURN_FORGET) : NULL;
    if (s == NULL)
        return rc == STORE_OK ? STORE_FAIL : rc;
    bind_int(s, ":id", id);
    return statement_execute(st, s);
}

enum store_rc store_agent_beat(struct store *st, const struct beat *b)
{
    sqlite3_stmt *s = statement_get(st, STMT_AGENT_BEAT);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":id", b->lease_id);
    bind_int(s, ":heartbeat_ms", b->heartbeat_ms);
    bind_int(s, ":expires_s", b->expires_s);
    bind_turn(s, ":turn", &b->counter);
    return statement_change(st, s);
}

enum store_rc store_agent_secret_used(struct store *st, int64_t id)
{
    return statement_change_row(st, STMT_AGENT_SECRET_USED, id, 0);
}
