/* SPDX-License-Identifier: ISC */
/*
 * The session registry: which live connection was made with which lease's key. One file a session,
 * RunDir/sessions/LEASEID.PID (0.PID while its login is being judged), 0640 root:_tunlease, lines
 * of `key value` (DESIGN 3). Only root writes; the group reads.
 *
 * An entry is a claim, /proc is the truth: readers pass over an entry whose process is gone. sshd
 * does not always say goodbye (facts/openssh.md 2), so entries of the dead are left behind; whoever
 * is root and passes takes them away.
 *
 * A session outlives its monitor when that is killed with SIGKILL: the child goes on and keeps the
 * listener. It is found by the monitor's session id (setsid(2)), which the kernel gives to nobody
 * else as long as the child lives.
 */
#ifndef TUNLEASE_SESSION_REGISTRY_H
#define TUNLEASE_SESSION_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    REGISTRY_ENTRY_BYTES = 4096,    /* a larger file is no entry */
    REGISTRY_SESSIONS_MAX = 100000, /* more are not read: reading fails */
    SESSION_NAME_BYTES = 65,
    SESSION_LOGIN_BYTES = 33,
    SESSION_FINGERPRINT_BYTES = 52,
    SESSION_ADDRESS_BYTES = 46,
};

struct session {
    pid_t pid; /* the monitor: the sshd process that ran open_session */
    uint64_t start_ticks;
    bool open;        /* false while its login is being judged: no lease yet */
    int64_t lease_id; /* 0 unless open */
    char lease[SESSION_NAME_BYTES];
    char login[SESSION_LOGIN_BYTES];
    uid_t uid; /* the login's: what the session's own process runs as */
    char fingerprint[SESSION_FINGERPRINT_BYTES];
    char source[SESSION_ADDRESS_BYTES]; /* the client's address, "" when sshd named none */
    int64_t since_s;                    /* Unix seconds */
    /* What the lease permitted when it logged in, as lib/lease writes lists; owned. NULL: it was
     * too long for an entry, and any change of the lease has to be taken for a narrowing one. */
    char *opens, *listens;
    /* Found when read: the monitor is gone, this child of it lives on. 0: the monitor is there. */
    pid_t orphan;
};

void session_release(struct session *s);

/* ---- the text of an entry ---- */

/* The length, or 0 when it cannot be written; leaves opens and listens out when they do not. */
size_t session_format(const struct session *s, char out[static REGISTRY_ENTRY_BYTES]);

/* text need not be NUL-terminated. 0 and *ret, to be released; -1: this is no entry. */
int session_parse(const char *text, size_t len, struct session *ret);

/* ---- the directory ---- */

struct registry {
    int sessions_fd; /* RunDir/sessions */
    int lock_fd;     /* RunDir/lock; -1 for readers who may not enter it */
    uid_t owner;
    gid_t group;
};

/*
 * Both directories must be there, owned by root or the effective user, and writable by nobody else.
 * for_writing: and the locks must be within reach. 0, or -1 with errno set (EPERM: unsafe).
 */
int registry_open(const char *run_dir, bool for_writing, struct registry *ret);
#define REGISTRY_CLOSED ((struct registry){.sessions_fd = -1, .lock_fd = -1})
void registry_close(struct registry *r); /* accepts REGISTRY_CLOSED, and leaves it so */

/* 0.PID, for a login that is about to be judged: from here on whoever revokes finds it. 0 or -1. */
int registry_enter(const struct registry *r, const struct session *s, int64_t deadline_ms);

/* LEASEID.PID in place of 0.PID. There is no moment in which neither is there. 0 or -1. */
int registry_settle(const struct registry *r, const struct session *s);

/* Takes both names away. Needs no lock: while pid lives its names are its own. Idempotent. */
void registry_leave(const struct registry *r, int64_t lease_id, pid_t pid);

/* A lock on what is done to one lease's sessions, waited for until deadline_ms
 * (clock_monotonic_ms). A descriptor to be closed, or -1: ETIMEDOUT, or another error. Number 0:
 * entries without a lease. */
int registry_lock(const struct registry *r, int64_t lease_id, int64_t deadline_ms);

/* Takes the lock file of a lease that is no more away, and what narrowed_note wrote, unless
 * somebody holds it. */
void registry_forget(const struct registry *r, int64_t lease_id);

struct session_list {
    struct session *items; /* owned */
    size_t count;
};

/*
 * The live sessions, by pid; lease_id 0: all, else those of that lease and those that are opening,
 * whose lease is not known yet. A session that goes from opening to open meanwhile is not missed,
 * and is there once. A writer takes entries of the dead away. 0, or -1 with errno set: it cannot be
 * told which sessions there are.
 */
int registry_read(const struct registry *r, int64_t lease_id, struct session_list *ret);
void session_list_release(struct session_list *list);

/* Releases all that keep says no to. */
void session_list_filter(struct session_list *list,
                         bool (*keep)(void *ctx, const struct session *s), void *ctx);
bool session_is_open(void *unused, const struct session *s); /* a filter */

/* How many live sessions a lease has: what max_sessions is judged by. 0, or -1 with errno set: it
 * cannot be told, which is not none. */
int registry_count(const char *run_dir, int64_t lease_id, size_t *ret);

#endif
