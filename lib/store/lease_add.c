/* SPDX-License-Identifier: ISC */
#include "lib/store/lease_add.h"

#include "lib/base/buf.h"
#include "lib/lease/lease.h"
#include "lib/store/invites.h"
#include "lib/store/leases.h"
#include "lib/store/note.h"
#include "lib/store/ports.h"
#include "lib/store/statement.h"
#include "lib/store/taken.h"
#include "lib/store/terms.h"

#include <bsd/string.h>
#include <string.h>

/* Says in *ret which lease already has the name. */
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

/* STORE_CONFLICT: an open invite reserves the name. */
static enum store_rc check_reserved(struct store *st, const struct lease *l, int64_t now_s,
                                    struct store_conflict *ret)
{
    int64_t id = 0;
    enum store_rc rc = store_invite_of_name(st, l->name, now_s, &id);
    if (rc != STORE_OK)
        return rc == STORE_NONE ? STORE_OK : rc;
    *ret = (struct store_conflict){.what = CONFLICT_INVITE, .lease_id = id};
    (void)strlcpy(ret->lease, l->name, sizeof(ret->lease));
    return STORE_CONFLICT;
}

enum store_rc store_key_holder(struct store *st, const char *login, const char *fingerprint,
                               int64_t now_s, struct store_conflict *ret)
{
    sqlite3_stmt *s = statement_get(st, STMT_KEY_HOLDER);
    if (s == NULL)
        return STORE_FAIL;
    bind_text(s, ":fingerprint", fingerprint);
    bind_text(s, ":login", login);
    enum store_rc rc = statement_step(st, s);
    if (rc == STORE_OK) {
        *ret = (struct store_conflict){.what = CONFLICT_KEY,
                                       .lease_id = sqlite3_column_int64(s, 0),
                                       .expired = sqlite3_column_int64(s, 2) <= now_s};
        (void)column_copy(s, 1, ret->lease, sizeof(ret->lease));
    }
    statement_done(s);
    return rc;
}

static void key_conflict(struct store *st, const struct lease *l, const struct pubkey *key,
                         int64_t now_s, struct store_conflict *ret)
{
    *ret = (struct store_conflict){.what = CONFLICT_KEY};
    (void)store_key_holder(st, l->login, key->fingerprint, now_s, ret);
}

enum store_rc insert_key(struct store *st, const struct lease *l, int64_t lease_id,
                         const struct lease_key *key, int64_t now_s,
                         struct store_conflict *ret_conflict)
{
    sqlite3_stmt *s = statement_get(st, STMT_KEY_INSERT);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":lease_id", lease_id);
    bind_text(s, ":fingerprint", key->pub.fingerprint);
    bind_text(s, ":login", l->login);
    bind_text(s, ":type", key->pub.type);
    bind_text(s, ":base64", key->pub.base64);
    bind_text(s, ":comment", key->pub.comment);
    bind_int(s, ":added_s", now_s);
    enum store_rc rc = statement_execute(st, s);
    if (rc == STORE_CONFLICT && ret_conflict != NULL)
        key_conflict(st, l, &key->pub, now_s, ret_conflict);
    return rc;
}

enum store_rc insert_lease(struct store *st, const char *kind, int64_t id, const struct lease *l,
                           const struct store_actor *by, int64_t *ret_id)
{
    struct terms terms = {{0}, {0}, {0}};
    sqlite3_stmt *s = statement_get(st, STMT_LEASE_INSERT);
    if (s == NULL)
        return STORE_FAIL;
    if (id != 0)
        bind_int(s, ":id", id);
    bind_text(s, ":kind", kind);
    bind_text(s, ":name", l->name);
    bind_text(s, ":login", l->login);
    bind_int(s, ":created_s", by->now_s);
    bind_int(s, ":expires_s", l->expires_s);
    bind_int(s, ":fixed_end", l->fixed_end ? 1 : 0);
    enum store_rc rc = bind_terms(st, s, l, &terms);
    if (rc == STORE_OK)
        rc = statement_execute(st, s);
    if (rc == STORE_OK)
        *ret_id = sqlite3_last_insert_rowid(st->db);
    statement_done(s);
    release_terms(&terms);
    return rc;
}

enum store_rc insert_whole_lease(struct store *st, const char *kind, int64_t id,
                                 const struct lease *l, int64_t quarantine_s,
                                 const struct store_actor *by, int64_t *ret_id,
                                 struct store_conflict *ret_conflict)
{
    enum store_rc rc = check_reserved(st, l, by->now_s, ret_conflict);
    if (rc != STORE_OK)
        return rc;
    rc = insert_lease(st, kind, id, l, by, &id);
    if (rc == STORE_CONFLICT)
        name_conflict(st, l, by->now_s, ret_conflict);
    for (size_t i = 0; rc == STORE_OK && i < l->key_count; i++)
        rc = insert_key(st, l, id, &l->keys[i], by->now_s, ret_conflict);
    if (rc == STORE_OK)
        rc = ports_acquire(st, id, l->name, &l->listen, quarantine_s, by->now_s, ret_conflict);
    if (rc == STORE_OK)
        *ret_id = id;
    return rc;
}

enum store_rc add_lease(struct store *st, const char *kind, int64_t id, const struct lease *l,
                        int64_t quarantine_s, const struct store_actor *by, int64_t *ret_id,
                        struct store_conflict *ret_conflict)
{
    struct buf detail = {0};
    enum store_rc rc = insert_whole_lease(st, kind, id, l, quarantine_s, by, &id, ret_conflict);
    if (rc == STORE_OK) {
        describe_terms(l, &detail);
        rc = note_change(st, by, strcmp(kind, "agent") == 0 ? "register" : "grant", id, l, NULL,
                         buf_text(&detail));
    }
    if (rc == STORE_OK)
        *ret_id = id;
    buf_release(&detail);
    return rc;
}
