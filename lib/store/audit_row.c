/* SPDX-License-Identifier: ISC */
#include "lib/store/audit_row.h"

#include "lib/store/statement.h"

#include <sha2.h>
#include <stdio.h>
#include <string.h>

/* In the order of the part audit_columns. */
enum {
    COL_SEQ,
    COL_TIME,
    COL_ACTOR,
    COL_ACTION,
    COL_LEASE_ID,
    COL_LEASE,
    COL_FINGERPRINT,
    COL_SOURCE,
    COL_OUTCOME,
    COL_DETAIL,
    COL_ANCHOR_SEQ,
    COL_HASH
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

void audit_row_hash(const uint8_t previous[static AUDIT_HASH_BYTES], const struct audit_row *row,
                    uint8_t ret[static AUDIT_HASH_BYTES])
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

struct audit_row audit_row_at(sqlite3_stmt *s)
{
    return (struct audit_row){
        .seq = sqlite3_column_int64(s, COL_SEQ),
        .time_s = sqlite3_column_int64(s, COL_TIME),
        .actor = column_text(s, COL_ACTOR),
        .action = column_text(s, COL_ACTION),
        .lease_id = sqlite3_column_int64(s, COL_LEASE_ID),
        .lease = column_text(s, COL_LEASE),
        .fingerprint = column_text(s, COL_FINGERPRINT),
        .source = column_text(s, COL_SOURCE),
        .outcome = column_text(s, COL_OUTCOME),
        .detail = column_text(s, COL_DETAIL),
        .anchor_seq = sqlite3_column_int64(s, COL_ANCHOR_SEQ),
    };
}

const uint8_t *audit_row_stored_hash(sqlite3_stmt *s)
{
    return sqlite3_column_bytes(s, COL_HASH) == AUDIT_HASH_BYTES ? sqlite3_column_blob(s, COL_HASH)
                                                                 : NULL;
}

bool audit_row_has_unhashed(sqlite3_stmt *s)
{
    static const int texts[] = {COL_ACTOR,  COL_ACTION,  COL_LEASE, COL_FINGERPRINT,
                                COL_SOURCE, COL_OUTCOME, COL_DETAIL};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (strlen(column_text(s, texts[i])) != (size_t)sqlite3_column_bytes(s, texts[i]))
            return true;
    return sqlite3_column_type(s, COL_ANCHOR_SEQ) != SQLITE_NULL &&
           sqlite3_column_int64(s, COL_ANCHOR_SEQ) == 0;
}
