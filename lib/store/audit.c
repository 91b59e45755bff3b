/* SPDX-License-Identifier: ISC */
#include "lib/store/audit.h"

#include "lib/base/hex.h"
#include "lib/store/audit_row.h"
#include "lib/store/failure.h"
#include "lib/store/statement.h"

#include <stdio.h>
#include <string.h>

enum store_rc audit_head(struct store *st, struct audit_head *ret)
{
    sqlite3_stmt *s = statement_get(st, STMT_AUDIT_HEAD);
    if (s == NULL)
        return STORE_FAIL;
    enum store_rc rc = statement_step(st, s);
    if (rc == STORE_OK && sqlite3_column_bytes(s, 1) == AUDIT_HASH_BYTES) {
        *ret = (struct audit_head){.seq = sqlite3_column_int64(s, 0),
                                   .time_s = sqlite3_column_int64(s, 2)};
        memcpy(ret->hash, sqlite3_column_blob(s, 1), AUDIT_HASH_BYTES);
    } else if (rc == STORE_NONE) {
        *ret = (struct audit_head){.seq = 0};
        rc = STORE_OK;
    } else if (rc == STORE_OK)
        rc = store_failed_because(st, "it is corrupt: the newest audit row has no hash");
    statement_done(s);
    return rc;
}

static const char *or_empty(const char *s)
{
    return s != NULL ? s : "";
}

static enum store_rc append(struct store *st, const struct store_actor *by,
                            const struct audit_entry *e, int64_t anchor_seq)
{
    uint8_t hash[AUDIT_HASH_BYTES];
    struct audit_head head;
    struct audit_row row = {
        .time_s = by->now_s,
        .lease_id = e->lease_id,
        .anchor_seq = anchor_seq,
        .actor = or_empty(by->who),
        .action = e->action,
        .lease = or_empty(e->lease),
        .fingerprint = or_empty(e->fingerprint),
        .source = or_empty(by->source),
        .outcome = e->outcome != NULL ? e->outcome : "ok",
        .detail = or_empty(e->detail),
    };
    enum store_rc rc = audit_head(st, &head);
    if (rc != STORE_OK)
        return rc;
    row.seq = head.seq + 1;
    audit_row_hash(head.hash, &row, hash);
    sqlite3_stmt *s = statement_get(st, STMT_AUDIT_INSERT);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":seq", row.seq);
    bind_int(s, ":time_s", row.time_s);
    bind_text(s, ":actor", row.actor);
    bind_text(s, ":action", row.action);
    bind_int(s, ":lease_id", row.lease_id);
    bind_text(s, ":lease", row.lease);
    bind_text(s, ":fingerprint", row.fingerprint);
    bind_text(s, ":source", row.source);
    bind_text(s, ":outcome", row.outcome);
    bind_text(s, ":detail", row.detail);
    if (anchor_seq != 0)
        bind_int(s, ":anchor_seq", anchor_seq);
    bind_blob(s, ":hash", hash, sizeof(hash));
    return statement_execute(st, s);
}

enum store_rc audit_append(struct store *st, const struct store_actor *by,
                           const struct audit_entry *e)
{
    return append(st, by, e, 0);
}

enum store_rc audit_last_of(struct store *st, int64_t lease_id, const char *action,
                            int64_t *ret_time_s, char *actor, size_t actor_bytes)
{
    sqlite3_stmt *s = statement_get(st, STMT_AUDIT_LAST_OF);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":lease_id", lease_id);
    bind_text(s, ":action", action);
    enum store_rc rc = statement_step(st, s);
    if (rc == STORE_OK) {
        *ret_time_s = sqlite3_column_int64(s, 0);
        (void)column_copy(s, 1, actor, actor_bytes);
    }
    statement_done(s);
    return rc;
}

/* Reads the hash of row seq as hex, for the detail of an anchor: "hash=HEX pruned=N". */
static enum store_rc read_row_hash(struct store *st, int64_t seq,
                                   char out[static 2 * AUDIT_HASH_BYTES + 1])
{
    sqlite3_stmt *s = statement_get(st, STMT_AUDIT_ROW_HASH);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":seq", seq);
    enum store_rc rc = statement_step(st, s);
    if (rc == STORE_OK && sqlite3_column_bytes(s, 0) == AUDIT_HASH_BYTES)
        hex_encode(sqlite3_column_blob(s, 0), AUDIT_HASH_BYTES, out);
    else if (rc == STORE_OK || rc == STORE_NONE) {
        (void)snprintf(st->error, sizeof(st->error), "it is corrupt: audit row %lld has no hash",
                       (long long)seq);
        rc = STORE_FAIL;
    }
    statement_done(s);
    return rc;
}

/* Among the `limit` rows after `after`: the newest that is older than before_s; 0: none. */
static enum store_rc newest_before(struct store *st, int64_t after, int64_t limit, int64_t before_s,
                                   int64_t *ret)
{
    sqlite3_stmt *s = statement_get(st, STMT_AUDIT_NEWEST_BEFORE);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":after", after);
    bind_int(s, ":limit", limit);
    bind_int(s, ":before_s", before_s);
    enum store_rc rc = statement_step(st, s);
    if (rc == STORE_OK)
        *ret = sqlite3_column_int64(s, 0);
    statement_done(s);
    return rc;
}

enum store_rc audit_prune(struct store *st, const struct store_actor *by, int64_t before_s,
                          int64_t limit, int64_t *ret_pruned)
{
    char hex[2 * AUDIT_HASH_BYTES + 1], detail[128];
    int64_t up_to = 0, anchored = 0;
    /* An anchor names the last deleted row; the rows that remain follow it. 0: no anchor. */
    enum store_rc rc = statement_number(st, STMT_AUDIT_ANCHORED, &anchored);
    if (rc == STORE_OK)
        rc = newest_before(st, anchored, limit, before_s, &up_to);
    if (rc != STORE_OK)
        return rc;
    if (up_to <= anchored) {
        *ret_pruned = 0;
        return STORE_OK;
    }
    rc = read_row_hash(st, up_to, hex);
    if (rc != STORE_OK)
        return rc;
    (void)snprintf(detail, sizeof(detail), "hash=%s pruned=%lld", hex,
                   (long long)(up_to - anchored));
    const struct audit_entry anchor = {.action = "anchor", .detail = detail};
    rc = append(st, by, &anchor, up_to);
    if (rc != STORE_OK)
        return rc;
    sqlite3_stmt *s = statement_get(st, STMT_AUDIT_PRUNE);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":anchor_seq", up_to);
    rc = statement_execute(st, s);
    if (rc == STORE_OK)
        *ret_pruned = up_to - anchored;
    return rc;
}
