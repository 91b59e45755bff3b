/* SPDX-License-Identifier: ISC */
/* A session: a connection that was made with a lease's key, as its entry in the registry has it and
 * as a reader found it. */
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
    char fingerprint[FINGERPRINT_BYTES];
    char source[SESSION_ADDRESS_BYTES]; /* the client's address, "" when sshd named none */
    int64_t since_s;                    /* Unix seconds */
    /* What the lease permitted when it logged in, as lib/lease writes lists; owned. NULL: it was
     * too long for an entry, and any change of the lease has to be taken for a narrowing one. */
    char *opens, *listens;
    struct origin origin; /* where its pid and start_ticks hold; written by registry_add_opening */
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

/* Makes it SESSION_UNSEEN for that reason. */
void session_set_unseen(struct session *s, int why);

void session_release(struct session *s);

#endif
