/* SPDX-License-Identifier: ISC */
/* Reads a small file whole. */
#ifndef TUNLEASE_AGENT_HOST_TEXTFILE_H
#define TUNLEASE_AGENT_HOST_TEXTFILE_H

struct buf;

enum { TEXTFILE_MAX = 65536 }; /* bytes; the rest is not read */

/* Adds the text of the file to out; nothing if it cannot be read. */
void textfile_read(const char *path, struct buf *out);

#endif
