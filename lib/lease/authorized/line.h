/* SPDX-License-Identifier: ISC */
/*
 * Reads one line of an authorized_keys file exactly as sshd does (sshd(8), AUTHORIZED_KEYS FILE
 * FORMAT): whether it admits a key, and what sshd then allows, by the line alone. This is OpenSSH
 * 9.2p1; where later versions differ it is said.
 *
 * Pure but for the time zone (an expiry without Z is local time) and /etc/services (a permit may
 * name a service in place of a port number), both as sshd asks them.
 *
 * Known difference: sshd checks that the point of an ECDSA key lies on its curve, and drops the
 * line if not. Here such a line counts as a key; nobody can have its private half.
 */
#ifndef TUNLEASE_LEASE_AUTHORIZED_LINE_H
#define TUNLEASE_LEASE_AUTHORIZED_LINE_H

#include "lib/lease/authorized/authorized.h"

#include <stddef.h>

/*
 * Reads the len bytes of a line, with or without its newline; they need not end with a NUL. 0 and
 * *ret, which authorized_line_release takes; or -1 with *ret untouched: out of memory.
 */
int authorized_line_read(const char *line, size_t len, struct authorized_line *ret);
void authorized_line_release(struct authorized_line *l);

#endif
