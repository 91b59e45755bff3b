/* SPDX-License-Identifier: ISC */
#include "lib/store/audit_verify.h"

#include "lib/store/audit_row.h"
#include "lib/store/snapshot.h"
#include "lib/store/statement.h"

#include <string.h>

enum {
    ROWS_BETWEEN_PROGRESS = 16384,
    RENUMBERED_MAX =
        1000, /* removed rows that are looked for where the later ones have new numbers */
};

/* Where the chain starts: behind the last row that was pruned, or at the beginning. */
struct start {
    int64_t anchor_row; /* the number of the anchor that says so; 0: none */
    int64_t seq;        /* of the last pruned row */
    uint8_t hash[AUDIT_HASH_BYTES];
};

/* How far the verification has come. */
struct chain {
    struct start start;
    uint8_t previous[AUDIT_HASH_BYTES]; /* of the last row that matched */
    int64_t expected_seq;               /* of the row behind it */
};

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* False: the detail of an anchor has no hash. */
static bool parse_anchored_hash(const char *detail, uint8_t ret[static AUDIT_HASH_BYTES])
{
    if (strncmp(detail, "hash=", 5) != 0 || strlen(detail) < 5 + 2 * AUDIT_HASH_BYTES)
        return false;
    for (size_t i = 0; i < AUDIT_HASH_BYTES; i++) {
        int high = hex_digit(detail[5 + 2 * i]), low = hex_digit(detail[6 + 2 * i]);
        if (high < 0 || low < 0)
            return false;
        ret[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}

static enum store_rc read_start(struct store *st, struct start *ret)
{
    struct start start = {0};
    sqlite3_stmt *s = statement_get(st, STMT_AUDIT_ANCHOR);
    if (s == NULL)
        return STORE_FAIL;
    enum store_rc rc = statement_step(st, s);
    if (rc == STORE_OK) {
        start.seq = sqlite3_column_int64(s, 0);
        start.anchor_row = sqlite3_column_int64(s, 2);
        if (!parse_anchored_hash(column_text(s, 1), start.hash))
            memset(start.hash, 0, sizeof(start.hash)); /* then the first row does not match */
    }
    statement_done(s);
    if (rc != STORE_OK && rc != STORE_NONE)
        return rc;
    *ret = start;
    return STORE_OK;
}

/* True if the row at s, with this number, follows one with the hash `previous`. */
static bool follows(sqlite3_stmt *s, int64_t seq, const uint8_t *previous)
{
    uint8_t hash[AUDIT_HASH_BYTES];
    struct audit_row row = audit_row_at(s);
    const uint8_t *stored = audit_row_stored_hash(s);
    row.seq = seq;
    if (stored == NULL || previous == NULL || audit_row_has_unhashed(s))
        return false;
    audit_row_hash(previous, &row, hash);
    return memcmp(stored, hash, sizeof(hash)) == 0;
}

/* ---- what is wrong with the first row that does not match ---- */

/* Reads the stored hash of a row. STORE_NONE: there is none. */
static enum store_rc read_stored_hash(struct store *st, int64_t seq, uint8_t *ret)
{
    sqlite3_stmt *s = statement_get(st, STMT_AUDIT_ROW_HASH);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":seq", seq);
    enum store_rc rc = statement_step(st, s);
    if (rc == STORE_OK && sqlite3_column_bytes(s, 0) == AUDIT_HASH_BYTES)
        memcpy(ret, sqlite3_column_blob(s, 0), AUDIT_HASH_BYTES);
    else if (rc == STORE_OK)
        rc = STORE_NONE;
    statement_done(s);
    return rc;
}

/* STORE_NONE: the anchor was changed, or does not follow the row before it. */
static enum store_rc judge_anchor(struct store *st, const struct start *start)
{
    uint8_t previous[AUDIT_HASH_BYTES];
    enum store_rc rc = read_stored_hash(st, start->anchor_row - 1, previous);
    if (rc == STORE_NONE && start->seq == start->anchor_row - 1) {
        memcpy(previous, start->hash, sizeof(previous)); /* all rows before it were pruned */
        rc = STORE_OK;
    }
    sqlite3_stmt *s = rc == STORE_OK ? statement_get(st, STMT_AUDIT_ROW) : NULL;
    if (s == NULL)
        return rc == STORE_OK ? STORE_FAIL : rc;
    bind_int(s, ":seq", start->anchor_row);
    rc = statement_step(st, s);
    if (rc == STORE_OK && !follows(s, start->anchor_row, previous))
        rc = STORE_NONE;
    statement_done(s);
    return rc;
}

/* What the row `next` says of the bad one before it, which s is at. */
static void explain_by_next(const struct chain *c, sqlite3_stmt *s, sqlite3_stmt *next,
                            struct audit_report *report)
{
    const uint8_t *bad_hash = audit_row_stored_hash(s);
    int64_t seq = audit_row_at(next).seq;
    if (follows(next, c->expected_seq, c->previous))
        report->fault = AUDIT_INSERTED;
    for (int64_t gone = 1; bad_hash != NULL && gone <= RENUMBERED_MAX; gone++)
        if (follows(next, seq + gone, bad_hash))
            report->fault = AUDIT_MISSING;
}

/* Looks at the rows behind the bad one, which s is at, for what explains it: the next one, and that
 * which it was written behind. */
static enum store_rc explain_by_later(struct store *st, const struct chain *c, sqlite3_stmt *s,
                                      struct audit_report *report)
{
    enum store_rc rc;
    sqlite3_stmt *later = statement_get(st, STMT_AUDIT_SCAN);
    if (later == NULL)
        return STORE_FAIL;
    bind_int(later, ":from", c->expected_seq + 1);
    for (bool next = true; (rc = statement_step(st, later)) == STORE_OK; next = false) {
        int64_t seq = audit_row_at(later).seq;
        const uint8_t *hash = audit_row_stored_hash(later);
        if (next)
            explain_by_next(c, s, later, report);
        /* It has its old number, or was moved, too. */
        int64_t old = follows(s, seq, hash) ? seq : follows(s, seq + 1, hash) ? seq + 1 : 0;
        if (old != 0) {
            report->fault = AUDIT_MOVED;
            report->other_seq = old;
            break;
        }
    }
    statement_done(later);
    return rc == STORE_NONE ? STORE_OK : rc;
}

/* Sets the fault of row bad_seq, which is the first that does not match. */
static enum store_rc explain(struct store *st, const struct chain *c, int64_t bad_seq,
                             struct audit_report *report)
{
    enum store_rc rc = STORE_OK;
    report->fault = AUDIT_CHANGED;
    if (c->start.anchor_row != 0 && c->expected_seq == c->start.seq + 1)
        rc = judge_anchor(st, &c->start);
    if (rc == STORE_NONE) {
        report->fault = AUDIT_ANCHOR;
        report->other_seq = c->start.anchor_row;
        return STORE_OK;
    }
    if (rc != STORE_OK || bad_seq != c->expected_seq) {
        report->fault = bad_seq > c->expected_seq ? AUDIT_MISSING : AUDIT_INSERTED;
        report->other_seq = bad_seq > c->expected_seq ? c->expected_seq : 0;
        return rc;
    }
    sqlite3_stmt *s = statement_get(st, STMT_AUDIT_ROW);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":seq", bad_seq);
    rc = statement_step(st, s);
    if (rc == STORE_OK)
        rc = explain_by_later(st, c, s, report);
    statement_done(s);
    return rc;
}

/* ---- the chain ---- */

static void note_hash_at(const struct audit_inquiry *q, int64_t seq, const uint8_t *hash,
                         struct audit_report *report)
{
    if (q->at_seq == 0 || seq != q->at_seq)
        return;
    report->at_found = true;
    memcpy(report->at_hash, hash, sizeof(report->at_hash));
}

/* Reads rows until one does not match. STORE_NONE: all do; STORE_OK: *ret_bad_seq does not. */
static enum store_rc read_chain(struct store *st, const struct audit_inquiry *q, struct chain *c,
                                struct audit_report *report, int64_t *ret_bad_seq)
{
    enum store_rc rc;
    sqlite3_stmt *s = statement_get(st, STMT_AUDIT_SCAN);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":from", INT64_MIN);
    while ((rc = statement_step(st, s)) == STORE_OK) {
        const struct audit_row row = audit_row_at(s);
        if (report->rows++ == 0)
            report->first_seq = row.seq;
        report->last_seq = row.seq;
        if (row.seq != c->expected_seq || !follows(s, row.seq, c->previous)) {
            *ret_bad_seq = row.seq;
            break;
        }
        memcpy(c->previous, audit_row_stored_hash(s), sizeof(c->previous));
        report->head_time_s = row.time_s;
        note_hash_at(q, row.seq, c->previous, report);
        c->expected_seq++;
        if (q->progress != NULL && report->rows % ROWS_BETWEEN_PROGRESS == 0)
            q->progress(q->arg, report->rows);
    }
    statement_done(s);
    return rc;
}

static enum store_rc verify_chain(struct store *st, const struct audit_inquiry *q,
                                  struct audit_report *ret)
{
    struct audit_report report = {0};
    struct chain c = {0};
    int64_t bad_seq = 0;
    enum store_rc rc = read_start(st, &c.start);
    if (rc != STORE_OK)
        return rc;
    memcpy(c.previous, c.start.hash, sizeof(c.previous));
    c.expected_seq = c.start.seq + 1;
    note_hash_at(q, c.start.seq, c.start.hash, &report);
    rc = read_chain(st, q, &c, &report, &bad_seq);
    if (rc == STORE_OK) {
        /* 0 would mean that the chain is intact */
        report.broken_seq = bad_seq != 0 ? bad_seq : c.expected_seq;
        rc = explain(st, &c, bad_seq, &report);
    } else if (rc == STORE_NONE)
        rc = STORE_OK;
    if (rc != STORE_OK)
        return rc;
    memcpy(report.head, c.previous, sizeof(report.head));
    *ret = report;
    return STORE_OK;
}

enum store_rc audit_verify_at(struct store *st, const struct audit_inquiry *q,
                              struct audit_report *ret)
{
    /* Without one snapshot, a prune between anchor and rows would look like tampering. */
    enum store_rc rc = snapshot_begin(st);
    if (rc != STORE_OK)
        return rc;
    rc = verify_chain(st, q, ret);
    snapshot_end(st);
    return rc;
}

enum store_rc audit_verify(struct store *st, struct audit_report *ret)
{
    const struct audit_inquiry nothing_else = {.at_seq = 0};
    return audit_verify_at(st, &nothing_else, ret);
}
