/* SPDX-License-Identifier: ISC */
/*
 * IssueKeys: a key pair for an agent that has none, made by ssh-keygen(1) in a child and encrypted
 * under the credential that the request carried. No copy is kept (docs/protocol.md 6).
 */
#ifndef TUNLEASE_LEASED_REQUESTS_ISSUE_H
#define TUNLEASE_LEASED_REQUESTS_ISSUE_H

#include <stdbool.h>
#include <sys/types.h>

struct event_base;

enum { ISSUING_MAX = 2, ISSUE_MS = 4000, ISSUE_KEY_BYTES = 4096 };

/*
 * Starts a child that makes a key with the comment agent, encrypted under passphrase; it is killed
 * after ISSUE_MS. owner is whatever the key is made for: issue_done gives it back. 0; -1: too many
 * are under way (EAGAIN), or it could not be started (errno).
 */
int issue_start(struct event_base *base, const char *agent, const char *passphrase, void *owner);

struct issued {
    void *owner;
    char *private_key; /* to be freed by the caller; NULL: there is no key */
    char public_key[ISSUE_KEY_BYTES];
};

/* A child has ended, well or not. False: it was none of ours, and *ret is untouched. */
bool issue_done(pid_t pid, bool good, struct issued *ret);

/* When leased stops: no child and no key of one is left. release gets each owner. */
void issue_stop(void (*release)(void *owner));

/* leased as ssh-keygen's SSH_ASKPASS: true when it is, and the passphrase was printed. */
bool issue_is_askpass(void);

#endif
