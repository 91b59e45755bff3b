/* SPDX-License-Identifier: ISC */
/*
 * Would a key be let in on a login now, and may it open its forward? Asked are sshd's settings for
 * this login, its account, PAM and the lease: for explain, for a verify that failed, and for
 * doctor. Nothing here logs in or changes anything, and no PAM module is run.
 */
#ifndef TUNLEASE_LEASECTL_ADMISSION_ADMISSION_H
#define TUNLEASE_LEASECTL_ADMISSION_ADMISSION_H

#include "leasectl/admission/question.h"
#include "leasectl/ctl.h"
#include "leasectl/host/sshd.h"

enum admission_verdict admission_verdict(const struct admission_answer *a);

/*
 * Asks all four layers. s: the sshd to ask; NULL finds the one that serves. The store must be
 * closed: this opens it and closes it. EXIT_DONE and *ret, to be released whatever is returned; or
 * the exit code, with the error printed.
 */
int admission_ask(struct ctl *ctl, const struct sshd *s, const struct admission_question *q,
                  struct admission_answer *ret);
void admission_answer_release(struct admission_answer *a);

/*
 * Asks sshd, the account and PAM about a login and each of the keys (count may be 0), but not the
 * store. Adds the findings of all keys to found, each once. Returns how many there are of this
 * login: those that were in found before count, too. found->failed: memory ran out.
 */
size_t admission_ask_host(struct ctl *ctl, const struct sshd *s, const char *login,
                          const struct pubkey *keys, size_t count,
                          struct admission_findings *found);

/*
 * For an attempt that failed: adds to why one sentence that names the layer that refuses, and to
 * mend the line or command that mends it. False: nothing that was asked refuses, and nothing was
 * added. The store must be closed.
 */
bool admission_why(struct ctl *ctl, const struct sshd *s, const struct admission_question *q,
                   struct buf *why, struct buf *mend);

#endif
