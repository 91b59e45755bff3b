/* SPDX-License-Identifier: ISC */
/* An entry of the registry: its text, and its file. */
#ifndef TUNLEASE_SESSION_ENTRY_H
#define TUNLEASE_SESSION_ENTRY_H

#include "lib/session/registry.h"
#include "lib/session/session.h"

#include <dirent.h>
#include <stddef.h>

enum { REGISTRY_ENTRY_BYTES = 4096 }; /* a larger file is no entry */

/* The length, or 0 when it cannot be written; leaves opens and listens out when they do not. */
size_t entry_format(const struct session *s, char out[static REGISTRY_ENTRY_BYTES]);

/* text need not be NUL-terminated. 0 and *ret, to be released; -1: this is no entry. */
int entry_parse(const char *text, size_t len, struct session *ret);

/* Reads LEASEID.PID. *ret, to be released, with SIGHT_IS. SIGHT_IS_NOT: no entry by that name, or
 * none that one could be. SIGHT_CANNOT_TELL: errno. */
enum sight entry_read(const struct registry *r, int64_t lease_id, pid_t pid, struct session *ret);

/* RunDir/sessions, to be read from its begin; for closedir(3). NULL with errno set. */
DIR *entries_open(const struct registry *r);

#endif
