/* SPDX-License-Identifier: ISC */
/* The effective configuration of ssh for a leg: ssh -G. */
#ifndef TUNLEASE_AGENT_SSH_RESOLVE_H
#define TUNLEASE_AGENT_SSH_RESOLVE_H

#include <stddef.h>

struct buf;
struct leg;
struct settings;

/* Runs ssh -G for leg and adds its output to out, which on an error is ssh's message. 0 or -1. It
 * blocks for at most 5 s. */
int sshresolve(const struct leg *leg, const struct settings *s, struct buf *out);

/* The next value of a keyword in the output of `ssh -G`, and moves *cursor behind it; NULL: no
 * more. Writes NULs into the text. */
char *sshresolve_value(char **cursor, const char *keyword);

/* A copy of the first value, for the caller to free; NULL: none, or no memory. Leaves the text. */
char *sshresolve_copy(const char *resolved, const char *keyword);

/* The name by which known_hosts has the host, of that output: HostKeyAlias, HOST or [HOST]:PORT; ""
 * if it is not there. */
void sshresolve_known_name(const char *resolved, char *out, size_t size);

#endif
