/* SPDX-License-Identifier: ISC */
/* A session: a connection that was made with the key of a lease, as its registry entry describes it
 * and as a reader found it. */
#ifndef TUNLEASE_SESSION_SESSION_H
#define TUNLEASE_SESSION_SESSION_H

#include "lib/base/base64.h"
#include "lib/session/origin.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    SESSION_NAME_BYTES = 65,
    SESSION_LOGIN_BYTES = 33,
    SESSION_ADDRESS_BYTES = 62, /* INET6_ADDRSTRLEN, % and the name of an interface */
};

/* What a reader could see of a registered session that is not known to be dead. */
enum session_sight {
    SESSION_LIVE,
    /* Nobody can tell whether it is alive. It counts where sessions are counted. It is not reported
     * as down and not signalled, and its entry is not removed. If its entry cannot be read, only
     * pid, lease_id and open are known. */
    SESSION_UNSEEN,
};

struct session {
    pid_t pid; /* the monitor: the sshd process that ran open_session */
    uint64_t start_ticks;
    bool open;        /* false while its login is being judged: no lease yet */
    int64_t lease_id; /* 0 unless open */
    char lease[SESSION_NAME_BYTES];
    char login[SESSION_LOGIN_BYTES];
    uid_t uid; /* the login's; the session's child runs as it */
    char fingerprint[FINGERPRINT_BYTES];
    char source[SESSION_ADDRESS_BYTES]; /* the client's address, "" when sshd named none */
    int64_t since_s;                    /* Unix seconds */
    /* What the lease permitted at this login, as lib/lease writes lists; owned. NULL: the lists did
     * not fit into an entry, so every change of the lease counts as a narrowing. */
    char *opens, *listens;
    struct origin origin; /* where pid and start_ticks are valid; set when the entry is written */
    /* Set by a reader: the monitor is gone, and this child of it lives on. 0: the monitor is
     * there. */
    pid_t orphan;
    enum session_sight sight;
    /* With SESSION_UNSEEN an errno. EXDEV: it is of another pid namespace, such as that of a
     * container. ENOENT, EPERM, EACCES: /proc hides it (hidepid=). EMFILE, ENFILE, ENOMEM: to be
     * tried again with more descriptors or memory. */
    int unseen_why;
};

/* The reason as a clause for people: "/proc hides it (hidepid)". */
const char *session_unseen_reason(int unseen_why);

/* Sets SESSION_UNSEEN, and the errno that says why. */
void session_set_unseen(struct session *s, int why);

void session_release(struct session *s);

#endif
