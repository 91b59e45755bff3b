/* SPDX-License-Identifier: ISC */
#include "lib/store/tokens.h"

#include "lib/store/note.h"
#include "lib/store/statement.h"

#include <stdio.h>

static void read_token(sqlite3_stmt *s, struct token *ret)
{
    *ret = (struct token){.id = sqlite3_column_int64(s, 0),
                          .uses_left = sqlite3_column_int64(s, 2),
                          .created_s = sqlite3_column_int64(s, 3),
                          .expires_s = sqlite3_column_int64(s, 4)};
    (void)column_copy(s, 1, ret->name, sizeof(ret->name));
}

enum store_rc store_token_add(struct store *st, const struct token *t,
                              const uint8_t hash[static SECRET_HASH_BYTES],
                              const struct store_actor *by, int64_t *ret_id)
{
    char detail[96];
    sqlite3_stmt *s = statement_get(st, STMT_TOKEN_INSERT);
    if (s == NULL)
        return STORE_FAIL;
    bind_blob(s, ":hash", hash, SECRET_HASH_BYTES);
    bind_text(s, ":name", t->name);
    bind_int(s, ":uses_left", t->uses_left);
    bind_int(s, ":now_s", by->now_s);
    bind_int(s, ":expires_s", t->expires_s);
    enum store_rc rc = statement_execute(st, s);
    if (rc != STORE_OK)
        return rc;
    *ret_id = sqlite3_last_insert_rowid(st->db);
    (void)snprintf(detail, sizeof(detail), "token=%lld uses=%lld expires_s=%lld",
                   (long long)*ret_id, (long long)t->uses_left, (long long)t->expires_s);
    return store_note(st, by, "token_create", 0, t->name, detail);
}

enum store_rc store_token_find(struct store *st, const uint8_t hash[static SECRET_HASH_BYTES],
                               struct token *ret)
{
    sqlite3_stmt *s = statement_get(st, STMT_TOKEN_FIND);
    if (s == NULL)
        return STORE_FAIL;
    bind_blob(s, ":hash", hash, SECRET_HASH_BYTES);
    enum store_rc rc = statement_step(st, s);
    if (rc == STORE_OK)
        read_token(s, ret);
    statement_done(s);
    return rc;
}

enum store_rc store_token_use(struct store *st, int64_t id)
{
    return statement_change_row(st, STMT_TOKEN_USE, id, 0);
}

enum store_rc store_token_revoke(struct store *st, int64_t id, const struct store_actor *by)
{
    char detail[48];
    enum store_rc rc = statement_change_row(st, STMT_TOKEN_DELETE, id, 0);
    if (rc != STORE_OK)
        return rc;
    (void)snprintf(detail, sizeof(detail), "token=%lld", (long long)id);
    return store_note(st, by, "token_revoke", 0, "", detail);
}

enum store_rc store_token_list(struct store *st, store_token_fn fn, void *ctx)
{
    enum store_rc rc;
    sqlite3_stmt *s = statement_get(st, STMT_TOKEN_LIST);
    if (s == NULL)
        return STORE_FAIL;
    while ((rc = statement_step(st, s)) == STORE_OK) {
        struct token t;
        read_token(s, &t);
        if (fn(ctx, &t) != 0)
            break;
    }
    statement_done(s);
    return rc == STORE_NONE || rc == STORE_OK ? STORE_OK : rc;
}
