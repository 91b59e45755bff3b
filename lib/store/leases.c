/* SPDX-License-Identifier: ISC */
/* Leases as the admin and the daemon see them: read whole, added, revoked, deleted. */
#include "lib/store/store.h"

#include "lib/base/buf.h"
#include "lib/lease/lease.h"
#include "lib/store/audit.h"
#include "lib/store/statement.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

enum {
    COL_ID,
    COL_NAME,
    COL_LOGIN,
    COL_OPEN,
    COL_LISTEN,
    COL_SOURCES,
    COL_MAX_SESSIONS,
    COL_NOTE,
    COL_CREATED,
    COL_RENEWED,
    COL_EXPIRES,
    COL_FIXED_END,
    COL_REVOKED,
    COL_KEEP_SESSIONS,
    COL_LAST_LOGIN
};

static enum store_rc read_lease(struct store *st, sqlite3_stmt *s, struct lease *ret)
{
    struct lease l = {
        .id = sqlite3_column_int64(s, COL_ID),
        .max_sessions = (unsigned)sqlite3_column_int64(s, COL_MAX_SESSIONS),
        .created_s = sqlite3_column_int64(s, COL_CREATED),
        .renewed_s = sqlite3_column_int64(s, COL_RENEWED),
        .expires_s = sqlite3_column_int64(s, COL_EXPIRES),
        .fixed_end = sqlite3_column_int64(s, COL_FIXED_END) != 0,
        .revoked_s = sqlite3_column_int64(s, COL_REVOKED),
        .keep_sessions = sqlite3_column_int64(s, COL_KEEP_SESSIONS) != 0,
        .last_login_s = sqlite3_column_int64(s, COL_LAST_LOGIN),
    };
    const char *sources = column_text(s, COL_SOURCES);
    const char *damaged = NULL;

    if (column_copy(s, COL_NAME, l.name, sizeof(l.name)) != 0)
        damaged = "name";
    else if (column_copy(s, COL_LOGIN, l.login, sizeof(l.login)) != 0)
        damaged = "login";
    else if (column_copy(s, COL_NOTE, l.note, sizeof(l.note)) != 0)
        damaged = "note";
    else if (permit_list_parse(column_text(s, COL_OPEN), &l.open) != 0)
        damaged = "open permit";
    else if (permit_list_parse(column_text(s, COL_LISTEN), &l.listen) != 0)
        damaged = "listen permit";
    else if (*sources != '\0' && source_list_parse(sources, &l.from) != NULL)
        damaged = "from list";
    if (damaged != NULL) {
        lease_release(&l);
        return store_damaged(st, damaged, l.id);
    }
    *ret = l;
    return STORE_OK;
}

static enum store_rc read_keys(struct store *st, struct lease *l)
{
    enum store_rc rc;
    sqlite3_stmt *s = statement_get(st, STMT_LEASE_KEYS);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":lease_id", l->id);
    while ((rc = statement_step(st, s)) == STORE_OK) {
        struct lease_key key = {.added_s = sqlite3_column_int64(s, 4)};
        if (column_copy(s, 0, key.pub.type, sizeof(key.pub.type)) != 0 ||
            column_copy(s, 1, key.pub.base64, sizeof(key.pub.base64)) != 0 ||
            column_copy(s, 2, key.pub.fingerprint, sizeof(key.pub.fingerprint)) != 0 ||
            column_copy(s, 3, key.pub.comment, sizeof(key.pub.comment)) != 0) {
            rc = store_damaged(st, "key", l->id);
            break;
        }
        if (lease_add_key(l, &key) != 0) {
            (void)strlcpy(st->error, "out of memory", sizeof(st->error));
            rc = STORE_FAIL;
            break;
        }
    }
    statement_done(s);
    return rc == STORE_NONE ? STORE_OK : rc;
}

/* The one row of a bound statement, with its keys. */
static enum store_rc take_lease(struct store *st, sqlite3_stmt *s, struct lease *ret)
{
    struct lease l = {0};
    enum store_rc rc = statement_step(st, s);
    if (rc == STORE_OK)
        rc = read_lease(st, s, &l);
    statement_done(s);
    if (rc == STORE_OK)
        rc = read_keys(st, &l);
    if (rc == STORE_OK)
        *ret = l;
    else
        lease_release(&l);
    return rc;
}

enum store_rc store_lease_by_id(struct store *st, int64_t id, struct lease *ret)
{
    sqlite3_stmt *s = statement_get(st, STMT_LEASE_BY_ID);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":id", id);
    return take_lease(st, s, ret);
}

enum store_rc store_lease_by_name(struct store *st, const char *name, struct lease *ret)
{
    sqlite3_stmt *s = statement_get(st, STMT_LEASE_BY_NAME);
    if (s == NULL)
        return STORE_FAIL;
    bind_text(s, ":name", name);
    return take_lease(st, s, ret);
}

enum store_rc store_lease_list(struct store *st, const struct store_filter *filter,
                               store_lease_fn fn, void *ctx)
{
    enum store_rc rc;
    sqlite3_stmt *s = statement_get(st, STMT_LEASE_LIST);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":all", filter->all ? 1 : 0);
    bind_text(s, ":login", filter->login != NULL ? filter->login : "");
    bind_int(s, ":now_s", filter->now_s);
    bind_int(s, ":before_s", filter->before_s);
    while ((rc = statement_step(st, s)) == STORE_OK) {
        struct lease l = {0};
        rc = read_lease(st, s, &l);
        if (rc == STORE_OK)
            rc = read_keys(st, &l);
        if (rc == STORE_OK && fn(ctx, &l) != 0) {
            (void)strlcpy(st->error, "stopped by the caller", sizeof(st->error));
            rc = STORE_FAIL;
        }
        lease_release(&l);
        if (rc != STORE_OK)
            break;
    }
    statement_done(s);
    return rc == STORE_NONE ? STORE_OK : rc;
}

/* ---- changes ---- */

static enum store_rc insert_row(struct store *st, const struct lease *l,
                                const struct store_actor *by, int64_t *ret_id)
{
    struct buf open = {0}, listen = {0}, sources = {0};
    enum store_rc rc = STORE_FAIL;
    sqlite3_stmt *s = statement_get(st, STMT_LEASE_INSERT);
    if (s == NULL)
        return STORE_FAIL;
    permit_list_format(&l->open, &open);
    permit_list_format(&l->listen, &listen);
    source_list_format(&l->from, &sources);
    bind_text(s, ":kind", "grant");
    bind_text(s, ":name", l->name);
    bind_text(s, ":login", l->login);
    if (bind_buf(st, s, ":open", &open) != STORE_OK ||
        bind_buf(st, s, ":listen", &listen) != STORE_OK ||
        bind_buf(st, s, ":sources", &sources) != STORE_OK)
        goto out;
    bind_int(s, ":max_sessions", l->max_sessions);
    bind_text(s, ":note", l->note);
    bind_int(s, ":created_s", by->now_s);
    bind_int(s, ":expires_s", l->expires_s);
    bind_int(s, ":fixed_end", l->fixed_end ? 1 : 0);
    rc = statement_run(st, s);
    if (rc == STORE_OK)
        *ret_id = sqlite3_last_insert_rowid(st->db);
out:
    statement_done(s);
    buf_release(&open);
    buf_release(&listen);
    buf_release(&sources);
    return rc;
}

/* Fills *ret from the lease that has the name or key already. */
static void name_conflict(struct store *st, const struct lease *l, int64_t now_s,
                          struct store_conflict *ret)
{
    struct lease other = {0};
    *ret = (struct store_conflict){.what = CONFLICT_NAME};
    (void)strlcpy(ret->lease, l->name, sizeof(ret->lease));
    if (store_lease_by_name(st, l->name, &other) != STORE_OK)
        return;
    ret->lease_id = other.id;
    ret->expired = other.expires_s <= now_s;
    lease_release(&other);
}

static void key_conflict(struct store *st, const struct lease *l, const struct pubkey *key,
                         int64_t now_s, struct store_conflict *ret)
{
    sqlite3_stmt *s = statement_get(st, STMT_KEY_HOLDER);
    *ret = (struct store_conflict){.what = CONFLICT_KEY};
    if (s == NULL)
        return;
    bind_text(s, ":fingerprint", key->fingerprint);
    bind_text(s, ":login", l->login);
    if (statement_step(st, s) == STORE_OK) {
        ret->lease_id = sqlite3_column_int64(s, 0);
        (void)column_copy(s, 1, ret->lease, sizeof(ret->lease));
        ret->expired = sqlite3_column_int64(s, 2) <= now_s;
    }
    statement_done(s);
}

static enum store_rc insert_key(struct store *st, int64_t lease_id, const char *login,
                                const struct lease_key *key, int64_t now_s)
{
    sqlite3_stmt *s = statement_get(st, STMT_KEY_INSERT);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":lease_id", lease_id);
    bind_text(s, ":fingerprint", key->pub.fingerprint);
    bind_text(s, ":login", login);
    bind_text(s, ":type", key->pub.type);
    bind_text(s, ":base64", key->pub.base64);
    bind_text(s, ":comment", key->pub.comment);
    bind_int(s, ":added_s", now_s);
    return statement_run(st, s);
}

/* Who holds or kept the port. STORE_NONE: nobody ever did. */
static enum store_rc port_holder(struct store *st, uint16_t port, struct store_conflict *ret,
                                 int64_t *ret_freed_s)
{
    sqlite3_stmt *s = statement_get(st, STMT_PORT_HOLDER);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":port", port);
    enum store_rc rc = statement_step(st, s);
    if (rc == STORE_OK) {
        *ret = (struct store_conflict){
            .what = CONFLICT_PORT, .port = port, .lease_id = sqlite3_column_int64(s, 0)};
        (void)column_copy(s, 1, ret->lease, sizeof(ret->lease));
        *ret_freed_s = sqlite3_column_int64(s, 2);
        ret->expired = *ret_freed_s != 0;
    }
    statement_done(s);
    return rc;
}

static enum store_rc take_port(struct store *st, int64_t lease_id, const char *name, uint16_t port,
                               int64_t quarantine_s, int64_t now_s, struct store_conflict *conflict)
{
    int64_t freed_s = 0;
    struct store_conflict holder;
    enum store_rc rc = port_holder(st, port, &holder, &freed_s);
    if (rc == STORE_OK && freed_s == 0 && holder.lease_id == lease_id)
        return STORE_OK; /* it listens there on another address, too */
    if (rc == STORE_OK &&
        (freed_s == 0 || (freed_s > now_s - quarantine_s && strcmp(holder.lease, name) != 0))) {
        *conflict = holder;
        return STORE_CONFLICT;
    }
    if (rc != STORE_OK && rc != STORE_NONE)
        return rc;
    sqlite3_stmt *s = statement_get(st, STMT_PORT_TAKE);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":port", port);
    bind_int(s, ":lease_id", lease_id);
    return statement_run(st, s);
}

static enum store_rc take_ports(struct store *st, int64_t lease_id, const char *name,
                                const struct permit *p, int64_t quarantine_s, int64_t now_s,
                                struct store_conflict *conflict)
{
    enum store_rc rc = STORE_OK;
    for (unsigned port = p->low; rc == STORE_OK && port <= p->high; port++)
        rc = take_port(st, lease_id, name, (uint16_t)port, quarantine_s, now_s, conflict);
    return rc;
}

/* What was granted, as the audit keeps it. */
static void describe(const struct lease *l, struct buf *out)
{
    buf_addf(out, "login=%s open=", l->login);
    permit_list_format(&l->open, out);
    buf_add(out, " listen=");
    permit_list_format(&l->listen, out);
    buf_add(out, " from=");
    source_list_format(&l->from, out);
    buf_addf(out, " max_sessions=%u expires_s=%lld", l->max_sessions, (long long)l->expires_s);
}

enum store_rc store_lease_add(struct store *st, const struct lease *l, int64_t quarantine_s,
                              const struct store_actor *by, int64_t *ret_id,
                              struct store_conflict *ret_conflict)
{
    struct buf detail = {0};
    int64_t id = 0;
    enum store_rc rc = insert_row(st, l, by, &id);
    if (rc == STORE_CONFLICT)
        name_conflict(st, l, by->now_s, ret_conflict);
    for (size_t i = 0; rc == STORE_OK && i < l->key_count; i++) {
        rc = insert_key(st, id, l->login, &l->keys[i], by->now_s);
        if (rc == STORE_CONFLICT)
            key_conflict(st, l, &l->keys[i].pub, by->now_s, ret_conflict);
    }
    for (size_t i = 0; rc == STORE_OK && i < l->listen.count; i++) {
        const struct permit *p = &l->listen.items[i];
        rc = take_ports(st, id, l->name, p, quarantine_s, by->now_s, ret_conflict);
    }
    if (rc != STORE_OK)
        goto out;
    describe(l, &detail);
    const struct audit_entry entry = {
        .action = "grant",
        .lease_id = id,
        .lease = l->name,
        .fingerprint = l->key_count > 0 ? l->keys[0].pub.fingerprint : "",
        .detail = buf_text(&detail),
    };
    rc = audit_append(st, by, &entry);
    if (rc == STORE_OK)
        *ret_id = id;
out:
    buf_release(&detail);
    return rc;
}

enum store_rc store_port_pick(struct store *st, uint16_t low, uint16_t high, int64_t quarantine_s,
                              int64_t now_s, bool (*usable)(void *ctx, uint16_t port), void *ctx,
                              uint16_t *ret_port)
{
    unsigned next = low; /* the lowest port not yet seen in the table */
    unsigned never_leased = 0, oldest = 0;
    int64_t oldest_freed_s = INT64_MAX;
    enum store_rc rc;
    sqlite3_stmt *s = statement_get(st, STMT_PORT_LIST);
    if (s == NULL)
        return STORE_FAIL;
    while (never_leased == 0 && (rc = statement_step(st, s)) == STORE_OK) {
        unsigned port = (unsigned)sqlite3_column_int64(s, 0);
        int64_t freed_s = sqlite3_column_int64(s, 1);
        if (port < low || port > high)
            continue;
        for (; next < port && never_leased == 0; next++)
            if (usable(ctx, (uint16_t)next))
                never_leased = next;
        next = port + 1;
        if (freed_s != 0 && freed_s <= now_s - quarantine_s && freed_s < oldest_freed_s &&
            usable(ctx, (uint16_t)port)) {
            oldest = port;
            oldest_freed_s = freed_s;
        }
    }
    statement_done(s);
    if (never_leased == 0 && rc != STORE_NONE)
        return rc;
    for (; next <= high && never_leased == 0; next++)
        if (usable(ctx, (uint16_t)next))
            never_leased = next;
    if (never_leased == 0 && oldest == 0)
        return STORE_NONE;
    *ret_port = (uint16_t)(never_leased != 0 ? never_leased : oldest);
    return STORE_OK;
}

enum store_rc store_lease_revoke(struct store *st, const struct lease *l, bool keep_sessions,
                                 const struct store_actor *by)
{
    sqlite3_stmt *s = statement_get(st, STMT_LEASE_REVOKE);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":id", l->id);
    bind_int(s, ":now_s", by->now_s);
    bind_int(s, ":keep_sessions", keep_sessions ? 1 : 0);
    enum store_rc rc = statement_run(st, s);
    if (rc != STORE_OK)
        return rc;
    if (sqlite3_changes(st->db) == 0)
        return STORE_NONE;
    s = statement_get(st, STMT_LEASE_REVOKE_KEYS);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":id", l->id);
    rc = statement_run(st, s);
    if (rc != STORE_OK)
        return rc;
    s = statement_get(st, STMT_PORT_FREE);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":lease_id", l->id);
    bind_int(s, ":now_s", by->now_s);
    rc = statement_run(st, s);
    if (rc != STORE_OK)
        return rc;
    const struct audit_entry entry = {
        .action = "revoke",
        .lease_id = l->id,
        .lease = l->name,
        .fingerprint = l->key_count > 0 ? l->keys[0].pub.fingerprint : "",
        .detail = keep_sessions ? "keep_sessions=1" : "",
    };
    return audit_append(st, by, &entry);
}

enum store_rc store_lease_delete(struct store *st, const struct lease *l,
                                 const struct store_actor *by)
{
    static const struct {
        enum stmt_id stmt;
        const char *param;
    } steps[] = {{STMT_LEASE_DELETE_KEYS, ":id"}, {STMT_PORT_FORGET, ":lease_id"}};
    sqlite3_stmt *s = statement_get(st, STMT_LEASE_DELETE);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":id", l->id);
    bind_int(s, ":now_s", by->now_s);
    enum store_rc rc = statement_run(st, s);
    if (rc != STORE_OK)
        return rc;
    if (sqlite3_changes(st->db) == 0)
        return STORE_NONE;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        s = statement_get(st, steps[i].stmt);
        if (s == NULL)
            return STORE_FAIL;
        bind_int(s, steps[i].param, l->id);
        rc = statement_run(st, s);
        if (rc != STORE_OK)
            return rc;
    }
    const struct audit_entry entry = {.action = "delete", .lease_id = l->id, .lease = l->name};
    return audit_append(st, by, &entry);
}
