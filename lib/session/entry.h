/* SPDX-License-Identifier: ISC */
/* Entries of the registry: their text and their files. */
#ifndef TUNLEASE_SESSION_ENTRY_H
#define TUNLEASE_SESSION_ENTRY_H

#include "lib/session/registry.h"
#include "lib/session/session.h"

#include <dirent.h>
#include <stddef.h>

enum { REGISTRY_ENTRY_BYTES = 4096 }; /* a larger file is no entry */

/* Returns the length, or 0 if s cannot be an entry. Leaves out both opens and listens if they do
 * not fit. */
size_t entry_format(const struct session *s, char out[static REGISTRY_ENTRY_BYTES]);

/* text need not be NUL-terminated. Returns 0 and *ret, to be released, or -1: this is no entry. */
int entry_parse(const char *text, size_t len, struct session *ret);

/* Reads LEASEID.PID. SIGHT_IS: sets *ret, to be released. SIGHT_IS_NOT: there is no such file, or
 * it is no valid entry. SIGHT_CANNOT_TELL: errno says why. */
enum sight entry_read(const struct registry *r, int64_t lease_id, pid_t pid, struct session *ret);

/* Opens RunDir/sessions for readdir(3), from its start. The caller calls closedir(3). NULL with
 * errno. */
DIR *entries_open(const struct registry *r);

#endif
