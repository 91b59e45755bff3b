/* SPDX-License-Identifier: ISC */
/*
 * What a person must do when ssh ended: what it said, in its words; what that means; and the
 * command that helps. Pure. For what needs a look at files and at the ssh agent, see
 * ssh/login_advice.h and ssh/hostkey_advice.h.
 */
#ifndef TUNLEASE_AGENT_SSH_ADVICE_H
#define TUNLEASE_AGENT_SSH_ADVICE_H

#include "tunnel-agent/ssh/message.h"

#include <stdbool.h>

struct buf;
struct leg;
struct ssh_run;

/* Adds "ssh says 'WORDS'. ", without a full stop of ssh's own. */
void sshadvice_add_words(struct buf *out, const char *words);

/* Adds what a line of ssh means and the command that helps, as sentences that begin with a blank;
 * nothing where the line says it all. */
void sshadvice_add_meaning(struct buf *out, enum ssh_message message, const char *line,
                           const char *to);

/* Adds how ssh ended. status: of waitpid(2). was_up: the tunnel worked before, so no advice is
 * needed where a connection just broke. */
void sshadvice_add_end(struct buf *out, const struct ssh_run *run, const struct leg *leg,
                       int status, bool was_up);

#endif
