/* SPDX-License-Identifier: ISC */
/* Why a login was refused, and what a person must do. It runs ssh's tools and blocks: call it
 * inside a job. */
#ifndef TUNLEASE_AGENT_SSH_LOGIN_ADVICE_H
#define TUNLEASE_AGENT_SSH_LOGIN_ADVICE_H

#include "tunnel-agent/ssh/run.h"

struct buf;
struct leg;
struct settings;

/* run: ended with SSH_MESSAGE_AUTH. */
void sshlogin_add_advice(struct buf *out, const struct ssh_run *run, const struct leg *leg,
                         const struct settings *s);

/* The file that a line of SSH_MESSAGE_KEY_UNUSABLE names. Pure. */
void sshlogin_key_file(const char *line, char out[static SSHRUN_TEXT_BYTES]);

/* What is wrong with a private key, for that line, and the command that helps. file: the key; NULL:
 * the line names none of ours, and no command is made of its words: the far side's banner can hold
 * such a line. Pure. */
void sshlogin_add_key_advice(struct buf *out, const char *line, const char *file);

#endif
