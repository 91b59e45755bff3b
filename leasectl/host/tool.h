/* SPDX-License-Identifier: ISC */
/* Runs the distribution's tools that change this host, such as useradd(8) or pam-auth-update. */
#ifndef TUNLEASE_LEASECTL_HOST_TOOL_H
#define TUNLEASE_LEASECTL_HOST_TOOL_H

struct buf;

/* Runs argv to its end, with env as for child_start. 0, or -1 with name and the first line of its
 * errors in out. */
int tool_run(const char *name, const char *const argv[], const char *const env[], int timeout_ms,
             struct buf *out);

#endif
