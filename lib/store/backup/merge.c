/* SPDX-License-Identifier: ISC */
#include "lib/store/backup/merge.h"

#include "lib/base/hex.h"
#include "lib/store/audit.h"
#include "lib/store/backup/narrow.h"
#include "lib/store/backup/once.h"
#include "lib/store/failure.h"
#include "lib/store/uri.h"
#include "lib/store/transaction.h"
#include "lib/store/version.h"

#include <bsd/string.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum {
    /* What was numbered in a store that is lost is not known. So many numbers are left out. */
    NUMBERS_LEFT_OUT = 1000,
    DETAIL_BYTES = 512,
    FILE_BYTES = 200,
};

/* ---- attaching ---- */

static enum store_rc check_old(struct store *work)
{
    sqlite3_stmt *s = NULL;
    /* Reads all pages. What was taken away is looked up in indices, so they must match, too. */
    if (sqlite3_prepare_v2(work->db, "PRAGMA old.integrity_check(1)", -1, &s, NULL) != SQLITE_OK)
        return store_failed(work, SQLITE_ERROR);
    enum store_rc rc = statement_step(work, s);
    if (rc == STORE_OK && strcmp(column_text(s, 0), "ok") != 0)
        rc = store_failed_because(work, "it is damaged");
    (void)sqlite3_finalize(s);
    return rc;
}

/* A FIFO opens at once, and is no store; a file with a lease (fcntl(2), F_SETLEASE) does not open.
 */
static int open_at_once(const char *path, int flags, int mode)
{
    return open(path, flags | O_NONBLOCK, (mode_t)mode);
}

/*
 * Opens without waiting what the owner of the directory has put under the store's names: the store
 * was open before, but ATTACH opens it by its name again.
 */
static enum store_rc attach(struct store *work, sqlite3_stmt *s)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find("unix");
    if (vfs == NULL || vfs->iVersion < 3 ||
        vfs->xSetSystemCall(vfs, "open", (sqlite3_syscall_ptr)open_at_once) != SQLITE_OK)
        return store_failed_because(work, "SQLite lets nobody watch how it opens files");
    const enum store_rc rc = statement_execute(work, s);
    (void)vfs->xSetSystemCall(vfs, "open", NULL);
    return rc;
}

enum store_rc merge_attach(struct store *work, const char *path)
{
    char uri[STORE_URI_BYTES];
    sqlite3_stmt *s = NULL;
    if (store_uri(path, "?vfs=unix&mode=ro", uri) != 0)
        return store_failed_because(work, "its path is too long");
    int sqlite_rc = sqlite3_prepare_v2(work->db, "ATTACH :uri AS old", -1, &s, NULL);
    if (sqlite_rc != SQLITE_OK)
        return store_failed(work, sqlite_rc);
    bind_text(s, ":uri", uri);
    enum store_rc rc = attach(work, s);
    (void)sqlite3_finalize(s);
    if (rc != STORE_OK)
        return STORE_NONE;
    (void)sqlite3_busy_timeout(work->db, 1000);
    rc = contents_check_schema(work, STORE_VERSION, true);
    if (rc == STORE_OK)
        rc = check_old(work);
    if (rc == STORE_OK)
        return STORE_OK;
    char why[sizeof(work->error)];
    (void)strlcpy(why, work->error, sizeof(why));
    merge_detach(work);
    (void)store_failed_because(work, why);
    return STORE_NONE;
}

void merge_detach(struct store *work)
{
    (void)sqlite3_exec(work->db, "DETACH old", NULL, NULL, NULL);
}

/* ---- the audit ---- */

static enum store_rc read_hash(struct store *work, enum restore_id id, int64_t seq,
                               unsigned char ret[static AUDIT_HASH_BYTES])
{
    const struct once_values v = {.seq = seq};
    sqlite3_stmt *s = once_get(work, id, &v);
    if (s == NULL)
        return STORE_FAIL;
    enum store_rc rc = statement_step(work, s);
    if (rc == STORE_OK && sqlite3_column_bytes(s, 0) == AUDIT_HASH_BYTES)
        memcpy(ret, sqlite3_column_blob(s, 0), AUDIT_HASH_BYTES);
    else if (rc == STORE_OK)
        rc = STORE_NONE;
    (void)sqlite3_finalize(s);
    return rc;
}

struct audits {
    int64_t old_first, old_last, old_anchor;
    bool related;
    bool pruned; /* old has forgotten rows behind the backup's last */
};

/*
 * Whether one audit is the beginning of the other. The rows that old has forgotten cannot be
 * compared: an old store that is so much newer counts as related.
 */
static enum store_rc compare_audits(struct store *work, const struct audit_report *backup,
                                    struct audits *ret)
{
    static const struct once_values none = {.now_s = 0};
    unsigned char ours[AUDIT_HASH_BYTES], theirs[AUDIT_HASH_BYTES];
    sqlite3_stmt *s = once_get(work, RESTORE_OLD_AUDIT_ENDS, &none);
    if (s == NULL)
        return STORE_FAIL;
    enum store_rc rc = statement_step(work, s);
    if (rc == STORE_OK)
        *ret = (struct audits){.old_first = sqlite3_column_int64(s, 0),
                               .old_last = sqlite3_column_int64(s, 1),
                               .old_anchor = sqlite3_column_int64(s, 2)};
    (void)sqlite3_finalize(s);
    if (rc != STORE_OK)
        return rc;
    ret->pruned = backup->last_seq > 0 && ret->old_anchor > backup->last_seq;
    const int64_t common = ret->old_last < backup->last_seq ? ret->old_last : backup->last_seq;
    if (ret->pruned || common == 0) {
        ret->related = ret->pruned;
        return STORE_OK;
    }
    rc = read_hash(work, RESTORE_AUDIT_AT, common, ours);
    if (rc == STORE_OK)
        rc = read_hash(work, RESTORE_OLD_AUDIT_AT, common, theirs);
    ret->related = rc == STORE_OK && memcmp(ours, theirs, AUDIT_HASH_BYTES) == 0;
    return rc == STORE_NONE ? STORE_OK : rc;
}

/* Takes over the rows behind the backup's last; they stay only if the chain holds with them. */
static enum store_rc take_over_audit(struct store *work, const struct audits *a,
                                     const struct audit_report *backup, struct restore_result *ret)
{
    const struct once_values v = {.head = backup->last_seq};
    struct audit_report report;
    if (a->old_last == 0 || (a->related && a->old_last <= backup->last_seq))
        return STORE_OK; /* the backup has them all */
    ret->lost_first =
        a->related && a->old_first <= backup->last_seq ? backup->last_seq + 1 : a->old_first;
    ret->lost_last = a->old_last;
    if (!a->related)
        return STORE_OK;
    enum store_rc rc = store_savepoint(work);
    if (rc == STORE_OK)
        rc = once_execute(work, RESTORE_AUDIT_INSERT_NEWER, &v);
    if (rc == STORE_OK)
        rc = once_execute(work, RESTORE_AUDIT_DELETE_PRUNED, &v);
    if (rc == STORE_OK)
        rc = audit_verify(work, &report);
    if (rc != STORE_OK)
        return rc;
    const bool holds = report.broken_seq == 0;
    if (holds) {
        ret->kept_first = ret->lost_first;
        ret->kept_last = ret->lost_last;
        ret->lost_first = ret->lost_last = 0;
    }
    return store_savepoint_end(work, holds);
}

static enum store_rc add_row(struct store *work, bool has_old, const struct restore_request *req,
                             const struct store_contents *backup, struct restore_result *ret)
{
    char hex[2 * AUDIT_HASH_BYTES + 1], file[FILE_BYTES], detail[DETAIL_BYTES];
    struct audit_report report;
    hex_encode(backup->audit.head, AUDIT_HASH_BYTES, hex);
    (void)strlcpy(file, req->file, sizeof(file));
    int n = snprintf(detail, sizeof(detail), "head=%lld:%s forget_revocations=%d old=%s",
                     (long long)backup->audit.last_seq, hex, req->forget_revocations ? 1 : 0,
                     !has_old       ? "none"
                     : ret->related ? "same"
                                    : "other");
    if (ret->kept_last != 0)
        n += snprintf(detail + n, sizeof(detail) - (size_t)n, " kept=%lld-%lld",
                      (long long)ret->kept_first, (long long)ret->kept_last);
    if (ret->lost_last != 0)
        n += snprintf(detail + n, sizeof(detail) - (size_t)n, " lost=%lld-%lld",
                      (long long)ret->lost_first, (long long)ret->lost_last);
    (void)snprintf(detail + n, sizeof(detail) - (size_t)n, " file=%s", file);
    const struct audit_entry entry = {.action = "restored", .detail = detail};
    enum store_rc rc = audit_append(work, &req->by, &entry);
    if (rc == STORE_OK)
        rc = audit_verify(work, &report);
    if (rc != STORE_OK)
        return rc;
    if (report.broken_seq != 0)
        return store_failed_because(work, "the audit chain does not hold with the new row");
    ret->seq = report.last_seq;
    memcpy(ret->head, report.head, sizeof(ret->head));
    return STORE_OK;
}

/* ---- the leases ---- */

static enum store_rc execute_all(struct store *work, const enum restore_id *steps, size_t count,
                                 const struct once_values *v)
{
    enum store_rc rc = STORE_OK;
    for (size_t i = 0; rc == STORE_OK && i < count; i++)
        rc = once_execute(work, steps[i], v);
    return rc;
}

#define COUNT(steps) (sizeof(steps) / sizeof((steps)[0]))

/* What a backup has that no store should begin with. */
static enum store_rc settle_backup(struct store *work, bool has_old, const struct once_values *v)
{
    static const enum restore_id steps[] = {RESTORE_BEATS_APPLY,    RESTORE_BEATS_DELETE,
                                            RESTORE_PROBES_DELETE,  RESTORE_KEYS_DELETE_LEFT,
                                            RESTORE_SEQUENCE_BEGIN, RESTORE_WAS_MAKE};
    enum store_rc rc = execute_all(work, steps, COUNT(steps), v);
    return rc == STORE_OK
               ? once_execute(work, has_old ? RESTORE_OLD_SEQUENCE : RESTORE_SEQUENCE_RAISE, v)
               : rc;
}

static enum store_rc keep_revocations(struct store *work, bool related, const struct once_values *v)
{
    static const enum restore_id steps[] = {
        RESTORE_REVOKE_SAME,         RESTORE_AGENTS_DELETE_REVOKED, RESTORE_KEYS_DELETE_LEFT,
        RESTORE_KEYS_DELETE_REMOVED, RESTORE_KEYS_DELETE_REVOKED,   RESTORE_REVOKED_INSERT,
        RESTORE_REVOKED_KEYS_INSERT, RESTORE_KEYS_FOLLOW_LEASES,    RESTORE_END_EARLIER,
        RESTORE_FREEZES_INSERT,      RESTORE_FREEZE_KEYS_INSERT,
    };
    enum store_rc rc = STORE_OK;
    if (related) /* else nothing tells whether somebody took it away */
        rc = once_execute(work, RESTORE_DELETE_DELETED, v);
    if (rc == STORE_OK && related)
        rc = once_execute(work, RESTORE_TOKENS_DELETE, v);
    return rc == STORE_OK ? execute_all(work, steps, COUNT(steps), v) : rc;
}

static enum store_rc go_on(struct store *work, const struct once_values *v)
{
    static const enum restore_id steps[] = {
        RESTORE_TOKENS_SPEND,     RESTORE_AGENTS_GO_ON,     RESTORE_PORTS_FREE_DEAD,
        RESTORE_AGENTS_KEEP_PORT, RESTORE_AGENTS_KEEP_KEYS, RESTORE_REVOKE_WITHOUT_KEYS,
        RESTORE_PORTS_FREE_DEAD,  RESTORE_PORTS_FREE_MOVED, RESTORE_PORTS_TAKE_OVER,
        RESTORE_LOGINS_SEEN,      RESTORE_BEATS_INSERT,
    };
    return execute_all(work, steps, COUNT(steps), v);
}

static enum store_rc report_each(struct store *work, const struct restore_request *req,
                                 enum restore_id id, enum restored what,
                                 const struct once_values *v)
{
    enum store_rc rc;
    sqlite3_stmt *s = once_get(work, id, v);
    if (s == NULL)
        return STORE_FAIL;
    while ((rc = statement_step(work, s)) == STORE_OK)
        if (req->found(req->ctx, what, sqlite3_column_int64(s, 0), column_text(s, 1),
                       column_text(s, 2)) != 0) {
            rc = store_failed_because(work, "out of memory");
            break;
        }
    (void)sqlite3_finalize(s);
    return rc == STORE_NONE ? STORE_OK : rc;
}

static enum store_rc report_all(struct store *work, bool has_old, const struct restore_request *req,
                                const struct once_values *v)
{
    enum store_rc rc = report_each(work, req, has_old ? RESTORE_FOUND_BACK : RESTORE_FOUND_ACTIVE,
                                   RESTORED_BACK, v);
    if (rc == STORE_OK && has_old)
        rc = report_each(work, req, RESTORE_FOUND_GONE, RESTORED_GONE, v);
    if (rc == STORE_OK && has_old)
        rc = report_each(work, req, RESTORE_FOUND_KEPT, RESTORED_KEPT_REVOKED, v);
    return rc == STORE_OK ? report_each(work, req, RESTORE_FOUND_FROZEN, RESTORED_FROZEN, v) : rc;
}

static enum store_rc merge_old(struct store *work, const struct restore_request *req,
                               const struct store_contents *backup, struct once_values *v,
                               struct restore_result *result)
{
    struct audits audits;
    enum store_rc rc = compare_audits(work, &backup->audit, &audits);
    if (rc != STORE_OK)
        return rc;
    result->related = audits.related;
    v->head = audits.related ? backup->audit.last_seq : 0;
    v->pruned = audits.pruned;
    if (!req->forget_revocations)
        rc = keep_revocations(work, audits.related, v);
    if (rc == STORE_OK)
        rc = go_on(work, v);
    if (rc == STORE_OK)
        rc = narrow_leases(work, req);
    return rc == STORE_OK ? take_over_audit(work, &audits, &backup->audit, result) : rc;
}

enum store_rc merge_run(struct store *work, bool has_old, const struct restore_request *req,
                        const struct store_contents *backup, struct restore_result *ret)
{
    struct once_values v = {.now_s = req->by.now_s, .by = NUMBERS_LEFT_OUT};
    struct restore_result result = {.related = false};
    enum store_rc rc = store_begin(work);
    if (rc == STORE_OK)
        rc = settle_backup(work, has_old, &v);
    if (rc == STORE_OK && has_old)
        rc = merge_old(work, req, backup, &v, &result);
    if (rc == STORE_OK)
        rc = add_row(work, has_old, req, backup, &result);
    if (rc == STORE_OK)
        rc = report_all(work, has_old, req, &v);
    if (rc == STORE_OK)
        rc = store_commit(work);
    store_rollback(work);
    if (rc == STORE_OK)
        *ret = result;
    return rc;
}
