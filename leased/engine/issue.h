/* SPDX-License-Identifier: ISC */
/*
 * IssueKeys: a key pair for an agent that has none, made by ssh-keygen(1) in a child and encrypted
 * under the credential that the request carried. No copy is kept (CONTRACT 6).
 */
#ifndef TUNLEASE_LEASED_ISSUE_H
#define TUNLEASE_LEASED_ISSUE_H

#include "leased/engine/engine.h"

enum { ISSUING_MAX = 2, ISSUE_MS = 4000 };

/*
 * Starts a child for q, which is kept until then; it is killed after ISSUE_MS. 0; -1: too many are
 * under way, or it could not be started (errno).
 */
int issue_start(struct engine *e, struct queued *q);

/* A child has ended. Its request with the public key in it, or NULL: it was none of ours. failed:
 * there is no key. */
struct queued *issue_done(struct engine *e, pid_t pid, bool good, bool *failed);

/* When leased stops: no child and no key of one is left. */
void issue_end(void);

/* leased as ssh-keygen's SSH_ASKPASS: true when it is, and the passphrase was printed. */
bool issue_is_askpass(void);

#endif
