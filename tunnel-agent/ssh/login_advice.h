/* SPDX-License-Identifier: ISC */
/* Why a login was refused, and what a person must do. It runs ssh's tools and blocks: call it
 * inside a job. */
#ifndef TUNLEASE_AGENT_SSH_LOGIN_ADVICE_H
#define TUNLEASE_AGENT_SSH_LOGIN_ADVICE_H

struct buf;
struct leg;
struct settings;
struct ssh_run;

/* run: ended with SSH_MESSAGE_AUTH. */
void sshlogin_add_advice(struct buf *out, const struct ssh_run *run, const struct leg *leg,
                         const struct settings *s);

/* What is wrong with a private key, for a line of SSH_MESSAGE_KEY_UNUSABLE, and the command that
 * helps. Pure. */
void sshlogin_add_key_advice(struct buf *out, const char *line);

#endif
