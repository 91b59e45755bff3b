/* SPDX-License-Identifier: ISC */
/*
 * The lease store: the one truth about who may. The only code that knows SQLite.
 * Design: DESIGN 4; why each setting is what it is: facts/sqlite-and-performance.md.
 *
 * Reading (akc, list, show) never waits for a writer. Writing is BEGIN IMMEDIATE, so two writers
 * can neither overwrite each other nor fork the audit chain; every change appends its audit row in
 * the same transaction. Nothing here logs or reads the clock.
 */
#ifndef TUNLEASE_STORE_STORE_H
#define TUNLEASE_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lease;
struct lease_key;
struct permit;
struct pubkey;
struct session_list;
struct store;

/* "No" and "could not ask" are different answers. */
enum store_rc {
    STORE_OK,
    STORE_NONE,     /* asked, and there is none */
    STORE_CONFLICT, /* the name, key or port is another's */
    STORE_BUSY,     /* another writer held the lock for the whole timeout */
    STORE_FAIL,     /* missing, unreadable, corrupt, full, out of memory: see store_error */
};

enum {
    STORE_READ_TIMEOUT_MS = 1000,        /* of a reader who is in no hurry */
    STORE_TRIES_AT_ONCE = 20,            /* of a call that fails for a moment, 1 ms apart at most */
    STORE_PAUSE_MAX_MS = 50,             /* between attempts at opening, which begin 1 ms apart */
    STORE_WRITE_TIMEOUT_MS = 5000,       /* DESIGN 9 */
    STORE_STEP_MS = 3000,                /* the most that one row, or one change, may take */
    STORE_ARENA_BYTES = 8 * 1024 * 1024, /* pages that are not touched cost nothing */
    STORE_VERSION = 2,                   /* PRAGMA user_version after the last of sql/migrate/ */
    STORE_VERSION_OLDEST = 1,            /* that can be read as it is; a writer migrates it */
    STORE_ERROR_BYTES = 1024,
};

/* ---- opening ---- */

/*
 * SQLite takes all its memory from a fixed arena instead of malloc(3): faster for a process of one
 * question, and running out of it refuses. Before the first store_open_*; never after.
 */
void store_use_arena(void);

/* All of it back, when no store is open: for asking again. A no-op without the arena. */
void store_arena_reset(void);

/* Read-only. STORE_FAIL: err says what and what to do. */
enum store_rc store_open_read(const char *path, struct store **ret,
                              char err[static STORE_ERROR_BYTES]);

/*
 * One question, on a store that is opened for it and closed again. What fails for a moment is asked
 * anew, after 1, 2, 4 .. STORE_PAUSE_MAX_MS, until until_ms of clock_monotonic_ms has come; what
 * does not pass by itself ends it at once. ask may be called several times, then, and returns
 * STORE_OK or STORE_NONE when it has its answer. Its first read transaction is under the lock that
 * the schema was read under, which saves six system calls. Not STORE_OK or STORE_NONE: err says
 * why, in SQLite's words where they are SQLite's.
 */
typedef enum store_rc (*store_question_fn)(void *ctx, struct store *st);
enum store_rc store_ask(const char *path, int64_t until_ms, store_question_fn ask, void *ctx,
                        char err[static STORE_ERROR_BYTES]);

/*
 * Whether the last failure passes by itself: the schema was just changed; a reader that may not
 * write -shm met a commit that was changing it, and gets told at once, where a writer would wait
 * (the busy timeout does not cover it: facts/sqlite-and-performance.md 1.3); or the store was
 * written while it was read without its log, and nothing that was seen then counts.
 */
bool store_failure_passes(const struct store *st);

/*
 * Read and write. The directory must be there; where no file of the store lies in it but an empty
 * -wal and -shm, a store without leases is made (0640, group from the directory). One that lies
 * there and is empty is refused: what it held is lost, and not to be made up. Run as the
 * directory's owner: see lib/base/privilege.h. path must name no symbolic link.
 */
enum store_rc store_open_write(const char *path, struct store **ret,
                               char err[static STORE_ERROR_BYTES]);
void store_close(struct store *st); /* accepts NULL; rolls back what was not committed */

/* What the last STORE_BUSY or STORE_FAIL was, as one line for a person. Until the next call. */
const char *store_error(const struct store *st);

enum store_rc store_begin(struct store *st);
enum store_rc store_commit(struct store *st);
void store_rollback(struct store *st);

/* ---- the login path ---- */

/*
 * The lease that the key with this fingerprint holds on login, expired or not. STORE_NONE: none,
 * revoked, or the login is frozen. Everything in *ret was checked anew; a row that does not pass is
 * STORE_FAIL. *ret holds id, name, login, open, listen, from, max_sessions and expires_s, to be
 * released.
 */
enum store_rc store_find_key(struct store *st, const char *login, const char *fingerprint,
                             struct lease *ret);

/* Why store_find_key said STORE_NONE, for the log: the newest that was ever held with this key. */
struct store_key_history {
    int64_t lease_id;
    char lease[65];
    bool other_login;
    bool revoked;
    int64_t expires_s;
};
enum store_rc store_key_history(struct store *st, const char *login, const char *fingerprint,
                                struct store_key_history *ret);

/* STORE_OK: a lease of this login that was revoked had the key. STORE_NONE: none. */
enum store_rc store_key_was_held(struct store *st, const char *login, const char *fingerprint);

/* What the login path says of a key, in the words of the log (CONTRACT 5). */
enum key_verdict {
    KEY_ADMITTED,
    KEY_NO_LEASE,
    KEY_OTHER_LOGIN,
    KEY_REVOKED,
    KEY_EXPIRED,
    KEY_FROZEN,
    KEY_VERDICT__MAX
};
const char *key_verdict_name(enum key_verdict verdict); /* admitted, no_lease, login, ... */

/*
 * The one judgement: akc prints a line for KEY_ADMITTED and logs the others, leasectl explain says
 * them to a person. *ret_lease is set when KEY_ADMITTED, and to be released; history when it is any
 * other but KEY_NO_LEASE.
 */
struct key_judgement {
    enum key_verdict verdict;
    struct store_key_history history;
};
enum store_rc store_judge_key(struct store *st, const char *login, const char *fingerprint,
                              int64_t now_s, struct key_judgement *ret, struct lease *ret_lease);

/* Calls fn for every active lease and key of the login; fn's non-zero result ends it: STORE_FAIL.
 */
typedef int (*store_login_key_fn)(void *ctx, const struct lease *l, const struct pubkey *key);
enum store_rc store_login_keys(struct store *st, const char *login, int64_t now_s,
                               store_login_key_fn fn, void *ctx);

/* ---- live sessions ---- */

/* Whether a session may stay: it may not when akc would now refuse its key from its address, or
 * permit it less than at its login (CONTRACT 4). */
enum session_verdict {
    SESSION_ALLOWED,
    SESSION_DELETED,
    SESSION_REVOKED,
    SESSION_EXPIRED,
    SESSION_FROZEN,
    SESSION_KEY_REMOVED,
    SESSION_FROM,       /* from an address that the lease no longer names */
    SESSION_NARROWED,   /* it holds a permit that the lease no longer has */
    SESSION_OVER_LIMIT, /* of max_sessions: the newest go first */
    SESSION_NOT_JUDGED, /* its lease cannot be read */
    SESSION_VERDICT__MAX
};
const char *session_verdict_name(enum session_verdict verdict); /* allowed, deleted, revoked, ... */

/*
 * Judges each of the list, which is sorted by lease and age for it: verdicts[i] is of
 * list->items[i] then. One that is still opening is judged by its key. *ret_next_s (may be NULL):
 * the first end to come of those that may stay, INT64_MAX where none ends. Not STORE_OK: nothing
 * was judged.
 */
enum store_rc store_judge_sessions(struct store *st, struct session_list *list, int64_t now_s,
                                   enum session_verdict verdicts[], int64_t *ret_next_s);

/* ---- leases ---- */

/* Each gives the whole lease with its keys, to be released. By name: the live one, else the newest.
 */
enum store_rc store_lease_by_id(struct store *st, int64_t id, struct lease *ret);
enum store_rc store_lease_by_name(struct store *st, const char *name, struct lease *ret);

struct store_filter {
    bool all;          /* expired and revoked ones too */
    const char *login; /* NULL: any */
    int64_t now_s;
    int64_t before_s; /* only those that end by then; INT64_MAX: all */
};
typedef int (*store_lease_fn)(void *ctx, const struct lease *l);
enum store_rc store_lease_list(struct store *st, const struct store_filter *filter,
                               store_lease_fn fn, void *ctx);

/* ---- changes: within store_begin and store_commit ---- */

/* On whose behalf, for the audit. All borrowed. */
struct store_actor {
    const char *who;    /* such as "uid=0 loginuid=1000 sudo=li" */
    const char *source; /* address, or "" for this host */
    int64_t now_s;
};

/* Who stands in the way of a STORE_CONFLICT. */
struct store_conflict {
    enum { CONFLICT_NAME, CONFLICT_KEY, CONFLICT_PORT } what;
    int64_t lease_id;
    char lease[65];
    bool expired; /* it is past its end, but still holds */
    unsigned port;
};

/*
 * Adds a lease with its keys and takes the ports of its listen permits. l->id is not read; the new
 * one is in *ret_id. quarantine_s: how long a freed port stays its former holder's.
 */
enum store_rc store_lease_add(struct store *st, const struct lease *l, int64_t quarantine_s,
                              const struct store_actor *by, int64_t *ret_id,
                              struct store_conflict *ret_conflict);

/*
 * A port in low..high that nobody holds or kept: one that was never leased, else the one whose
 * quarantine ended longest ago. usable says whether the caller can have it (nothing else listens).
 * STORE_NONE: all are taken.
 */
enum store_rc store_port_pick(struct store *st, uint16_t low, uint16_t high, int64_t quarantine_s,
                              int64_t now_s, bool (*usable)(void *ctx, uint16_t port), void *ctx,
                              uint16_t *ret_port);

/* The port that is kept for its former holder of that name, the newest of several. STORE_NONE: none
 * is; *ret_any says whether any is kept at all. */
enum store_rc store_port_former(struct store *st, const char *name, uint16_t *ret_port,
                                bool *ret_any);

/* Writes open, listen, from, max_sessions and note of *l; what it no longer listens on is freed.
 * STORE_NONE: it is revoked. */
enum store_rc store_lease_set(struct store *st, const struct lease *l, int64_t quarantine_s,
                              const struct store_actor *by, struct store_conflict *ret_conflict);

/* A new end; an expired lease comes back, with its ports. STORE_NONE: it is revoked, which is
 * final. STORE_CONFLICT: a port is another's by now. */
enum store_rc store_lease_renew(struct store *st, const struct lease *l, int64_t expires_s,
                                bool fixed_end, int64_t quarantine_s, const struct store_actor *by,
                                struct store_conflict *ret_conflict);

/* The ports of an expired lease that comes back are its own again. STORE_CONFLICT: as above. */
enum store_rc store_ports_take_back(struct store *st, const struct lease *l, int64_t quarantine_s,
                                    int64_t now_s, struct store_conflict *ret_conflict);

/* Final: name and keys are free at once, ports are quarantined, the row stays. STORE_NONE: it was
 * not live. keep_sessions: what is live may stay until the lease would have expired. */
enum store_rc store_lease_revoke(struct store *st, const struct lease *l, bool keep_sessions,
                                 const struct store_actor *by);

/* Forgets an expired or revoked lease and its keys. keep_ports: its ports stay quarantined for its
 * name; else they are free at once. STORE_NONE: it is active, or gone. */
enum store_rc store_lease_delete(struct store *st, const struct lease *l, bool keep_ports,
                                 const struct store_actor *by);

/* STORE_CONFLICT: the key holds a lease on this login already. */
enum store_rc store_key_add(struct store *st, const struct lease *l, const struct lease_key *key,
                            const struct store_actor *by, struct store_conflict *ret_conflict);
/* STORE_NONE: the lease has no such key. */
enum store_rc store_key_remove(struct store *st, const struct lease *l, const char *fingerprint,
                               const struct store_actor *by);

/* login, or "*" for all. STORE_CONFLICT: it is frozen already; STORE_NONE: it is not frozen. */
enum store_rc store_freeze(struct store *st, const char *login, const struct store_actor *by);
enum store_rc store_thaw(struct store *st, const char *login, const struct store_actor *by);
enum store_rc store_frozen_since(struct store *st, const char *login, int64_t *ret_since_s);

/* Every freeze in force. fn's non-zero result ends it: STORE_FAIL. */
typedef int (*store_freeze_fn)(void *ctx, const char *login, int64_t since_s);
enum store_rc store_freeze_list(struct store *st, store_freeze_fn fn, void *ctx);

/* Empties the write-ahead log into the store, when nobody reads it just now (facts 1.8). */
enum store_rc store_checkpoint(struct store *st);

#endif
