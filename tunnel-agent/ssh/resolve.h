/* SPDX-License-Identifier: ISC */
/* What all of ssh's configuration comes to for a leg: ssh -G. */
#ifndef TUNLEASE_AGENT_SSH_RESOLVE_H
#define TUNLEASE_AGENT_SSH_RESOLVE_H

struct buf;
struct leg;
struct settings;

/* ssh -G for leg, into out. 0, or -1 with its words in out. */
int sshresolve(const struct leg *leg, const struct settings *s, struct buf *out);

/* The value of a keyword in the text that `ssh -G` printed, from *cursor on (NULL-initialised text
 * is not accepted); NULL at the end. Writes NULs into the text. */
char *sshresolve_value(char **cursor, const char *keyword);

#endif
