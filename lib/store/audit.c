/* SPDX-License-Identifier: ISC */
#include "lib/store/audit.h"

#include "lib/base/hex.h"
#include "lib/store/failure.h"
#include "lib/store/snapshot.h"
#include "lib/store/statement.h"

#include <bsd/string.h>
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A whole audit row: what its hash covers. Strings are borrowed. */
struct audit_row {
    int64_t seq, time_s, lease_id;
    int64_t anchor_seq; /* 0: not an anchor */
    const char *actor, *action, *lease, *fingerprint, *source, *outcome, *detail;
};

static void hash_field(SHA2_CTX *sha, const char *s)
{
    uint8_t length[8];
    uint64_t n = strlen(s);
    for (int i = 7; i >= 0; i--, n >>= 8)
        length[i] = (uint8_t)n;
    SHA256Update(sha, length, sizeof(length));
    SHA256Update(sha, (const uint8_t *)s, strlen(s));
}

static void hash_number(SHA2_CTX *sha, int64_t value)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%lld", (long long)value);
    hash_field(sha, text);
}

static void row_hash(const uint8_t previous[AUDIT_HASH_BYTES], const struct audit_row *row,
                     uint8_t ret[AUDIT_HASH_BYTES])
{
    SHA2_CTX sha;
    SHA256Init(&sha);
    SHA256Update(&sha, previous, AUDIT_HASH_BYTES);
    hash_number(&sha, row->seq);
    hash_number(&sha, row->time_s);
    hash_field(&sha, row->actor);
    hash_field(&sha, row->action);
    hash_number(&sha, row->lease_id);
    hash_field(&sha, row->lease);
    hash_field(&sha, row->fingerprint);
    hash_field(&sha, row->source);
    hash_field(&sha, row->outcome);
    hash_field(&sha, row->detail);
    if (row->anchor_seq != 0)
        hash_number(&sha, row->anchor_seq);
    else
        hash_field(&sha, "");
    SHA256Final(ret, &sha);
}

/* Reads number and hash of the newest row; 0 and zero bytes if the audit is empty. */
static enum store_rc read_head(struct store *st, int64_t *ret_seq, uint8_t ret[AUDIT_HASH_BYTES])
{
    sqlite3_stmt *s = statement_get(st, STMT_AUDIT_HEAD);
    if (s == NULL)
        return STORE_FAIL;
    enum store_rc rc = statement_step(st, s);
    if (rc == STORE_OK && sqlite3_column_bytes(s, 1) == AUDIT_HASH_BYTES) {
        *ret_seq = sqlite3_column_int64(s, 0);
        memcpy(ret, sqlite3_column_blob(s, 1), AUDIT_HASH_BYTES);
    } else if (rc == STORE_NONE) {
        *ret_seq = 0;
        memset(ret, 0, AUDIT_HASH_BYTES);
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
    uint8_t previous[AUDIT_HASH_BYTES], hash[AUDIT_HASH_BYTES];
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
    enum store_rc rc = read_head(st, &row.seq, previous);
    if (rc != STORE_OK)
        return rc;
    row.seq++;
    row_hash(previous, &row, hash);
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

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Finds what the hash does not cover: text after a NUL, and an anchor_seq of 0 instead of NULL. */
static bool has_unhashed(sqlite3_stmt *s)
{
    static const int texts[] = {2, 3, 5, 6, 7, 8, 9};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (strlen(column_text(s, texts[i])) != (size_t)sqlite3_column_bytes(s, texts[i]))
            return true;
    return sqlite3_column_type(s, 10) != SQLITE_NULL && sqlite3_column_int64(s, 10) == 0;
}

/* Reads where the chain starts: after the newest anchor, or at the beginning. */
static enum store_rc read_anchor(struct store *st, int64_t *ret_seq, uint8_t ret[AUDIT_HASH_BYTES])
{
    uint8_t hash[AUDIT_HASH_BYTES] = {0};
    sqlite3_stmt *s = statement_get(st, STMT_AUDIT_ANCHOR);
    if (s == NULL)
        return STORE_FAIL;
    enum store_rc rc = statement_step(st, s);
    int64_t seq = 0;
    if (rc == STORE_OK) {
        const char *hex = column_text(s, 1);
        bool good = strncmp(hex, "hash=", 5) == 0 && strlen(hex) >= 5 + 2 * AUDIT_HASH_BYTES;
        seq = sqlite3_column_int64(s, 0);
        for (size_t i = 0; good && i < AUDIT_HASH_BYTES; i++) {
            int high = hex_digit(hex[5 + 2 * i]), low = hex_digit(hex[6 + 2 * i]);
            hash[i] = (uint8_t)(high * 16 + low);
            good = high >= 0 && low >= 0;
        }
        if (!good)
            memset(hash, 0, sizeof(hash)); /* then the first row does not match, and is reported */
    }
    statement_done(s);
    if (rc != STORE_OK && rc != STORE_NONE)
        return rc;
    *ret_seq = seq;
    memcpy(ret, hash, sizeof(hash));
    return STORE_OK;
}

static enum store_rc verify_chain(struct store *st, struct audit_report *ret)
{
    struct audit_report report = {0};
    uint8_t hash[AUDIT_HASH_BYTES];
    int64_t expected_seq = 0;
    enum store_rc rc = read_anchor(st, &expected_seq, report.head);
    if (rc != STORE_OK)
        return rc;
    sqlite3_stmt *s = statement_get(st, STMT_AUDIT_SCAN);
    if (s == NULL)
        return STORE_FAIL;
    while ((rc = statement_step(st, s)) == STORE_OK) {
        const struct audit_row row = {
            .seq = sqlite3_column_int64(s, 0),
            .time_s = sqlite3_column_int64(s, 1),
            .actor = column_text(s, 2),
            .action = column_text(s, 3),
            .lease_id = sqlite3_column_int64(s, 4),
            .lease = column_text(s, 5),
            .fingerprint = column_text(s, 6),
            .source = column_text(s, 7),
            .outcome = column_text(s, 8),
            .detail = column_text(s, 9),
            .anchor_seq = sqlite3_column_int64(s, 10),
        };
        expected_seq++;
        row_hash(report.head, &row, hash);
        if (report.rows++ == 0)
            report.first_seq = row.seq;
        report.last_seq = row.seq;
        if (row.seq != expected_seq || has_unhashed(s) ||
            sqlite3_column_bytes(s, 11) != AUDIT_HASH_BYTES ||
            memcmp(sqlite3_column_blob(s, 11), hash, AUDIT_HASH_BYTES) != 0) {
            /* 0 would mean that the chain is intact */
            report.broken_seq = row.seq != 0 ? row.seq : expected_seq;
            break;
        }
        memcpy(report.head, hash, sizeof(hash));
    }
    statement_done(s);
    if (rc != STORE_OK && rc != STORE_NONE)
        return rc;
    *ret = report;
    return STORE_OK;
}

enum store_rc audit_verify(struct store *st, struct audit_report *ret)
{
    /* Without one snapshot, a prune between anchor and rows would look like tampering. */
    enum store_rc rc = snapshot_begin(st);
    if (rc != STORE_OK)
        return rc;
    rc = verify_chain(st, ret);
    snapshot_end(st);
    return rc;
}
