/* SPDX-License-Identifier: ISC */
/*
 * The session registry: which live connection was made with which lease's key. One file a session,
 * RunDir/sessions/LEASEID.PID (0.PID while its login is being judged), 0640 root:_tunlease, lines
 * of `key value` (DESIGN 3). Only root writes; the group reads.
 *
 * An entry is a claim, /proc is the truth. Who reads is told of the sessions that live, and of
 * those of which it cannot be told (lib/session/sight.h); entries of the dead are counted and
 * passed over. sshd does not always say goodbye (facts/openssh.md 2), so such are left behind:
 * registry_clear takes them away. No reader does.
 *
 * RunDir/sessions/.NUMBER.ns says that processes of that pid namespace have made entries. Where
 * only ours is there, a number that no process and no group has is that of a dead session, and its
 * entry need not be opened: thousands of such cost next to nothing.
 *
 * A session outlives its monitor when that is killed with SIGKILL: the child goes on and keeps the
 * listener. It is found by the monitor's session id (setsid(2)), which the kernel gives to nobody
 * else as long as the child lives.
 */
#ifndef TUNLEASE_SESSION_REGISTRY_H
#define TUNLEASE_SESSION_REGISTRY_H

#include "lib/session/origin.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    REGISTRY_ENTRY_BYTES = 4096,    /* a larger file is no entry */
    REGISTRY_SESSIONS_MAX = 100000, /* more are not read: reading fails */
    REGISTRY_NAMES_MAX = 1000000,   /* the same, of entries with those of the dead */
    SESSION_NAME_BYTES = 65,
    SESSION_LOGIN_BYTES = 33,
    SESSION_FINGERPRINT_BYTES = 52,
    SESSION_ADDRESS_BYTES = 46,
};

/* What a reader could see of a session that is in the registry, and is not known to be dead. */
enum session_sight {
    SESSION_LIVE,
    /* It may be there. It counts where sessions are counted, is not called down, is not signalled,
     * and keeps its entry. Of one whose entry cannot be opened only pid, lease_id and open are
     * known. */
    SESSION_UNSEEN,
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
    struct origin origin; /* where its pid and start_ticks hold; written by registry_enter */
    /* Found when read: the monitor is gone, this child of it lives on. 0: the monitor is there. */
    pid_t orphan;
    enum session_sight sight;
    /* With SESSION_UNSEEN an errno. EXDEV: it is of another pid namespace, such as a container's.
     * ENOENT, EPERM, EACCES: /proc hides it (hidepid=). EMFILE, ENFILE, ENOMEM: to be asked again
     * with more room. */
    int unseen_why;
};

/* The reason as a clause for people: "/proc hides it (hidepid)". */
const char *session_unseen_reason(int unseen_why);

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
    struct origin here; /* ours */
};

/*
 * Both directories must be there, owned by root or the effective user, and writable by nobody else.
 * for_writing: and the locks must be within reach. 0, or -1 with errno set (EPERM: unsafe).
 */
int registry_open(const char *run_dir, bool for_writing, struct registry *ret);
#define REGISTRY_CLOSED ((struct registry){.sessions_fd = -1, .lock_fd = -1})
void registry_close(struct registry *r); /* accepts REGISTRY_CLOSED, and leaves it so */

/* 0.PID, for a login that is about to be judged: from here on whoever revokes finds it. Newcomers
 * do not wait for one another, only for who clears. 0 or -1; EEXIST: a session of another pid
 * namespace has the name. */
int registry_enter(const struct registry *r, const struct session *s, int64_t deadline_ms);

/* LEASEID.PID in place of 0.PID. There is no moment in which neither is there. 0 or -1, as above.
 */
int registry_settle(const struct registry *r, const struct session *s);

/* Takes both names of the caller's own session away. Needs no lock: while pid lives its names are
 * its own. Idempotent. */
void registry_leave(const struct registry *r, int64_t lease_id, pid_t pid);

/* A lock on what is done to one lease's sessions, waited for until deadline_ms
 * (clock_monotonic_ms). A descriptor to be closed, or -1: ETIMEDOUT, or another error. Number 0:
 * entries without a lease. */
int registry_lock(const struct registry *r, int64_t lease_id, int64_t deadline_ms);

/* The same beside others who share it: against who changes or clears what the lease's newcomers
 * have in common, not against another newcomer. */
int registry_lock_shared(const struct registry *r, int64_t lease_id, int64_t deadline_ms);

/* Takes the lock file of a lease that is no more away, and what narrowed_note wrote, unless
 * somebody holds it. */
void registry_forget(const struct registry *r, int64_t lease_id);

/* The name of an entry whose session is dead, and what it was that had it. */
struct dead_entry {
    int64_t lease_id;
    pid_t pid;
    uint64_t start_ticks; /* 0: not looked at */
};

struct session_list {
    struct session *items; /* owned */
    size_t count;
    /* What was found when it was read, whatever was filtered out since. */
    size_t unseen;           /* so many of the sessions are SESSION_UNSEEN */
    int unseen_why;          /* of one of them */
    struct dead_entry *dead; /* owned; for registry_clear and registry_remove_dead */
    size_t dead_count;
};

/*
 * The sessions by pid, live and unseen; lease_id 0: all, else those of that lease and those that
 * are opening, whose lease is not known yet. A session that goes from opening to open meanwhile is
 * not missed, and is there once. Changes nothing. 0, or -1 with errno set: it cannot be told which
 * sessions there are.
 */
int registry_read(const struct registry *r, int64_t lease_id, struct session_list *ret);

/* The same of the open ones of one lease; reads no other entry. Who holds the lease's lock misses
 * none; else one that settles meanwhile may be missed. ETIMEDOUT: not by deadline_ms
 * (clock_monotonic_ms). */
int registry_read_open(const struct registry *r, int64_t lease_id, int64_t deadline_ms,
                       struct session_list *ret);

void session_list_release(struct session_list *list);

/*
 * Takes entries away that list found dead, and that still are: of lease_id, whose lock the caller
 * holds, and at most so many. Returns how many.
 */
size_t registry_remove_dead(const struct registry *r, int64_t lease_id,
                            const struct session_list *list, size_t most);

/*
 * Takes both names away of another process's session that has ended, as far as they are still its
 * own: its number may be another's by now. lease_held: the caller holds the lock of s->lease_id;
 * else what is locked, by deadline_ms (clock_monotonic_ms), is left for another time.
 */
void registry_remove_ended(const struct registry *r, const struct session *s, bool lease_held,
                           int64_t deadline_ms);

/*
 * The same of all that list found, for who holds no lock: of a lease whose lock is held they are
 * left for another time, as they are after deadline_ms (clock_monotonic_ms). Nothing where r was
 * not opened for writing, or is another's.
 */
size_t registry_clear(const struct registry *r, const struct session_list *list,
                      int64_t deadline_ms);

/* Releases all that keep says no to. */
void session_list_filter(struct session_list *list,
                         bool (*keep)(void *ctx, const struct session *s), void *ctx);
bool session_is_open(void *unused, const struct session *s); /* a filter */

/*
 * Whether a lease may have one open session more: it has fewer than max that are not known to be
 * dead. SIGHT_CANNOT_TELL: the directory cannot be read, or not by deadline_ms; errno says why. As
 * long as it has fewer entries than max, none is opened. *ret, to be released: those that were
 * read, when that had to be.
 */
enum sight registry_has_room(const struct registry *r, int64_t lease_id, size_t max,
                             int64_t deadline_ms, struct session_list *ret);

/* How many open sessions a lease has that are not known to be dead. 0, or -1 with errno set: it
 * cannot be told, which is not none. */
int registry_count(const char *run_dir, int64_t lease_id, size_t *ret);

/* Whether it is known that no session is registered that may be there. */
bool registry_has_none(const char *run_dir);

#endif
