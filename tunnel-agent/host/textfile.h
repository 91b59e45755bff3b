/* SPDX-License-Identifier: ISC */
/* A small file of this host's, read whole. */
#ifndef TUNLEASE_AGENT_HOST_TEXTFILE_H
#define TUNLEASE_AGENT_HOST_TEXTFILE_H

struct buf;

enum { TEXTFILE_MAX = 65536 }; /* bytes; the rest of a longer one is left unread */

/* Adds what the file holds to out: nothing, where it cannot be read. */
void textfile_read(const char *path, struct buf *out);

#endif
