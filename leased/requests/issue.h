/* SPDX-License-Identifier: ISC */
/*
 * IssueKeys: makes a key pair for an agent that has none. ssh-keygen(1) makes it in a child,
 * encrypted with the credential of the request. No copy is kept (docs/protocol.md 6).
 */
#ifndef TUNLEASE_LEASED_REQUESTS_ISSUE_H
#define TUNLEASE_LEASED_REQUESTS_ISSUE_H

#include <stdbool.h>
#include <sys/types.h>

struct event_base;

enum { ISSUING_MAX = 2, ISSUE_MS = 4000, ISSUE_KEY_BYTES = 4096 };

/*
 * Starts a child that makes a key with the comment agent, encrypted with passphrase; it is killed
 * after ISSUE_MS. owner is what the key is made for: issue_done gives it back. Returns 0; or -1:
 * too many children are running (EAGAIN), or none could be started (errno).
 */
int issue_start(struct event_base *base, const char *agent, const char *passphrase, void *owner);

struct issued {
    void *owner;
    char *private_key; /* to be freed by the caller; NULL: there is no key */
    char public_key[ISSUE_KEY_BYTES];
};

/* A child has ended; good: with status 0. Returns false if it is not one of these; *ret is
 * unchanged then. */
bool issue_done(pid_t pid, bool good, struct issued *ret);

/* For the end of leased: kills all children, removes their files, and calls release with each
 * owner. */
void issue_stop(void (*release)(void *owner));

/* ssh-keygen runs leased as its SSH_ASKPASS. Returns true in that case, after printing the
 * passphrase. */
bool issue_is_askpass(void);

#endif
