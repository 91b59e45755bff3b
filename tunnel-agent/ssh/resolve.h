/* SPDX-License-Identifier: ISC */
/* The effective configuration of ssh for a leg: ssh -G. */
#ifndef TUNLEASE_AGENT_SSH_RESOLVE_H
#define TUNLEASE_AGENT_SSH_RESOLVE_H

struct buf;
struct leg;
struct settings;

/* Runs ssh -G for leg and adds its output to out, which on an error is ssh's message. 0 or -1. It
 * blocks for at most 5 s. */
int sshresolve(const struct leg *leg, const struct settings *s, struct buf *out);

/* The next value of a keyword in the output of `ssh -G`, and moves *cursor behind it; NULL: no
 * more. Writes NULs into the text. */
char *sshresolve_value(char **cursor, const char *keyword);

#endif
