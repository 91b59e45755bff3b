/* SPDX-License-Identifier: ISC */
/* The tools of the distribution that change this host: useradd(8), pam-auth-update(8). */
#ifndef TUNLEASE_LEASECTL_HOST_TOOL_H
#define TUNLEASE_LEASECTL_HOST_TOOL_H

struct buf;

/* Runs one to its end, with env as for child_start. 0, or -1 with what it said in out; name is how
 * it is called there. */
int tool_run(const char *name, const char *const argv[], const char *const env[], int timeout_ms,
             struct buf *out);

#endif
