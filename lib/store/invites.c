/* SPDX-License-Identifier: ISC */
#include "lib/store/invites.h"

#include "lib/base/buf.h"
#include "lib/store/failure.h"
#include "lib/store/immutable.h"
#include "lib/store/invite_text.h"
#include "lib/store/leases.h"
#include "lib/store/note.h"
#include "lib/store/open_agents.h"
#include "lib/store/statement.h"
#include "lib/store/terms.h"
#include "lib/store/version.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

enum { FIRST_VERSION = 4 }; /* of a store that may have invites: readers read older ones as well */

/* ---- reading ---- */

/* STORE_NONE: a store of before cannot have one. */
static enum store_rc may_have_invites(struct store *st)
{
    int version = 0;
    enum store_rc rc = store_check_version(st, &version);
    return rc == STORE_OK && version < FIRST_VERSION ? STORE_NONE : rc;
}

static enum store_rc damaged(struct store *st, int64_t id)
{
    char why[64];
    (void)snprintf(why, sizeof(why), "it is corrupt: invite #%lld is not valid", (long long)id);
    return immutable_is_intact(st) ? store_failed_because(st, why) : STORE_FAIL;
}

/* Reads a row of invite_columns. */
static enum store_rc read_invite(struct store *st, sqlite3_stmt *s, struct invite *ret)
{
    struct invite i = {.id = sqlite3_column_int64(s, 0),
                       .is_open = sqlite3_column_int64(s, 2) > 0,
                       .created_s = sqlite3_column_int64(s, 3),
                       .expires_s = sqlite3_column_int64(s, 4)};
    i.spent_s = i.is_open ? 0 : i.expires_s;
    enum store_rc rc = STORE_OK;
    if (column_copy(s, 1, i.terms.name, sizeof(i.terms.name)) != 0 ||
        lease_name_problem(i.terms.name) != NULL || !invite_text_parse(column_text(s, 5), &i))
        rc = damaged(st, i.id);
    if (rc == STORE_OK)
        rc = open_agents_resolve(st, &i.terms);
    if (rc == STORE_OK)
        *ret = i;
    else
        invite_release(&i);
    return rc;
}

static enum store_rc read_one(struct store *st, sqlite3_stmt *s, struct invite *ret)
{
    enum store_rc rc = statement_step(st, s);
    if (rc == STORE_OK)
        rc = read_invite(st, s, ret);
    statement_done(s);
    return rc;
}

enum store_rc store_invite_find(struct store *st, const uint8_t hash[static SECRET_HASH_BYTES],
                                struct invite *ret)
{
    enum store_rc rc = may_have_invites(st);
    if (rc != STORE_OK)
        return rc;
    sqlite3_stmt *s = statement_get(st, STMT_INVITE_FIND);
    if (s == NULL)
        return STORE_FAIL;
    bind_blob(s, ":hash", hash, SECRET_HASH_BYTES);
    return read_one(st, s, ret);
}

enum store_rc store_invite_list(struct store *st, store_invite_fn fn, void *ctx)
{
    enum store_rc rc = may_have_invites(st);
    if (rc != STORE_OK)
        return rc == STORE_NONE ? STORE_OK : rc;
    sqlite3_stmt *s = statement_get(st, STMT_INVITE_LIST);
    if (s == NULL)
        return STORE_FAIL;
    while ((rc = statement_step(st, s)) == STORE_OK) {
        struct invite i = {.id = 0};
        rc = read_invite(st, s, &i);
        if (rc == STORE_OK && fn(ctx, &i) != 0)
            rc = store_failed_because(st, "stopped by the caller");
        invite_release(&i);
        if (rc != STORE_OK)
            break;
    }
    statement_done(s);
    return rc == STORE_NONE ? STORE_OK : rc;
}

struct each_port {
    int64_t now_s;
    store_port_fn fn;
    void *ctx;
};

static int tell_ports(void *ctx, const struct invite *i)
{
    const struct each_port *each = ctx;
    const struct permit_list *listen = &i->terms.listen;
    for (size_t k = 0; i->is_open && i->expires_s > each->now_s && k < listen->count; k++)
        each->fn(each->ctx, listen->items[k].low);
    return 0;
}

enum store_rc store_invite_ports(struct store *st, int64_t now_s, store_port_fn fn, void *ctx)
{
    struct each_port each = {.now_s = now_s, .fn = fn, .ctx = ctx};
    return store_invite_list(st, tell_ports, &each);
}

enum store_rc store_invite_of_name(struct store *st, const char *name, int64_t now_s,
                                   int64_t *ret_id)
{
    enum store_rc rc = may_have_invites(st);
    if (rc != STORE_OK)
        return rc;
    sqlite3_stmt *s = statement_get(st, STMT_INVITE_OF_NAME);
    if (s == NULL)
        return STORE_FAIL;
    bind_text(s, ":name", name);
    bind_int(s, ":now_s", now_s);
    rc = statement_step(st, s);
    if (rc == STORE_OK)
        *ret_id = sqlite3_column_int64(s, 0);
    statement_done(s);
    return rc;
}

enum store_rc store_invite_admits(struct store *st, const char *fingerprint, int64_t now_s)
{
    enum store_rc rc = may_have_invites(st);
    if (rc != STORE_OK)
        return rc;
    sqlite3_stmt *s = statement_get(st, STMT_INVITE_ADMITS);
    if (s == NULL)
        return STORE_FAIL;
    bind_text(s, ":fingerprint", fingerprint);
    bind_int(s, ":now_s", now_s);
    bind_int(s, ":spent_after_s", now_s - INVITE_REPEAT_S);
    rc = statement_step(st, s);
    statement_done(s);
    return rc;
}

/* ---- changing ---- */

/* STORE_CONFLICT: a lease or an open invite has the name, and *ret says which. */
static enum store_rc check_name(struct store *st, const struct invite *i, int64_t now_s,
                                struct store_conflict *ret)
{
    struct lease holder = {0};
    struct store_conflict c = {.what = CONFLICT_INVITE};
    (void)strlcpy(c.lease, i->terms.name, sizeof(c.lease));
    enum store_rc rc = store_invite_of_name(st, i->terms.name, now_s, &c.lease_id);
    bool taken = rc == STORE_OK;
    if (rc == STORE_NONE && !i->replaces) {
        rc = store_lease_by_name(st, i->terms.name, &holder);
        taken = rc == STORE_OK && holder.revoked_s == 0;
        c.what = CONFLICT_NAME;
        c.lease_id = holder.id;
        c.expired = holder.expires_s <= now_s;
        lease_release(&holder);
    }
    if (rc != STORE_OK && rc != STORE_NONE)
        return rc;
    if (taken)
        *ret = c;
    return taken ? STORE_CONFLICT : STORE_OK;
}

static enum store_rc insert(struct store *st, const struct invite *i,
                            const uint8_t hash[static SECRET_HASH_BYTES], int64_t now_s,
                            int64_t *ret_id)
{
    struct buf text = {0};
    sqlite3_stmt *s = statement_get(st, STMT_INVITE_INSERT);
    if (s == NULL)
        return STORE_FAIL;
    invite_text_format(i, &text);
    bind_blob(s, ":hash", hash, SECRET_HASH_BYTES);
    bind_text(s, ":name", i->terms.name);
    bind_int(s, ":now_s", now_s);
    bind_int(s, ":expires_s", i->expires_s);
    enum store_rc rc = bind_buf(st, s, ":invite", &text);
    if (rc == STORE_OK)
        rc = statement_execute(st, s);
    if (rc == STORE_OK)
        *ret_id = sqlite3_last_insert_rowid(st->db);
    statement_done(s);
    buf_release(&text);
    return rc;
}

static enum store_rc note_created(struct store *st, const struct invite *i, int64_t id,
                                  const struct store_actor *by)
{
    struct buf detail = {0};
    buf_addf(&detail, "invite=%lld%s%s valid_until_s=%lld ttl_s=%lld ", (long long)id,
             i->is_agent ? " agent=1" : "", i->replaces ? " replaces=1" : "",
             (long long)i->expires_s, (long long)i->ttl_s);
    describe_terms(&i->terms, &detail);
    enum store_rc rc = buf_text(&detail) != NULL ? store_note(st, by, "invite_create", 0,
                                                              i->terms.name, buf_text(&detail))
                                                 : store_failed_because(st, "out of memory");
    buf_release(&detail);
    return rc;
}

enum store_rc store_invite_add(struct store *st, const struct invite *i,
                               const uint8_t hash[static SECRET_HASH_BYTES],
                               const struct store_actor *by, int64_t *ret_id,
                               struct store_conflict *ret_conflict)
{
    int64_t id = 0;
    enum store_rc rc = check_name(st, i, by->now_s, ret_conflict);
    if (rc == STORE_OK)
        rc = insert(st, i, hash, by->now_s, &id);
    if (rc == STORE_OK)
        rc = note_created(st, i, id, by);
    if (rc == STORE_OK)
        *ret_id = id;
    return rc;
}

enum store_rc store_invite_use(struct store *st, int64_t id, const struct store_actor *by)
{
    return statement_change_row(st, STMT_INVITE_USE, id, by->now_s);
}

/* Writes an audit row about the invite, with what a spent one has. */
static enum store_rc note_invite(struct store *st, const struct store_actor *by, const char *action,
                                 const struct invite *i)
{
    char detail[48];
    (void)snprintf(detail, sizeof(detail), "invite=%lld", (long long)i->id);
    return note_change(st, by, action, i->lease_id, &i->terms, i->fingerprint, detail);
}

static enum store_rc find_by_id(struct store *st, int64_t id, struct invite *ret)
{
    sqlite3_stmt *s = statement_get(st, STMT_INVITE_BY_ID);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":id", id);
    return read_one(st, s, ret);
}

enum store_rc store_invite_spend(struct store *st, int64_t id, int64_t lease_id,
                                 const char *fingerprint, const struct store_actor *by)
{
    struct buf spent = {0};
    struct invite i = {.id = 0};
    sqlite3_stmt *s = statement_get(st, STMT_INVITE_SPEND);
    if (s == NULL)
        return STORE_FAIL;
    invite_text_format_spent(lease_id, fingerprint, &spent);
    bind_int(s, ":id", id);
    enum store_rc rc = bind_buf(st, s, ":spent", &spent);
    if (rc == STORE_OK)
        rc = statement_change(st, s);
    if (rc == STORE_OK)
        rc = find_by_id(st, id, &i);
    if (rc == STORE_OK)
        rc = note_invite(st, by, "invite_spend", &i);
    statement_done(s);
    invite_release(&i);
    buf_release(&spent);
    return rc;
}

enum store_rc store_invite_revoke(struct store *st, int64_t id, const struct store_actor *by)
{
    struct invite i = {.id = 0};
    enum store_rc rc = find_by_id(st, id, &i);
    if (rc == STORE_OK)
        rc = statement_change_row(st, STMT_INVITE_DELETE, id, 0);
    if (rc == STORE_OK)
        rc = note_invite(st, by, "invite_revoke", &i);
    invite_release(&i);
    return rc;
}

enum store_rc store_invite_prune(struct store *st, const struct store_actor *by)
{
    char detail[48];
    sqlite3_stmt *s = statement_get(st, STMT_INVITE_PRUNE);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":before_s", by->now_s - INVITE_KEPT_S);
    enum store_rc rc = statement_change(st, s);
    if (rc != STORE_OK)
        return rc == STORE_NONE ? STORE_OK : rc;
    (void)snprintf(detail, sizeof(detail), "invites=%d", sqlite3_changes(st->db));
    return store_note(st, by, "prune", 0, "", detail);
}
