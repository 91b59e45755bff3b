/* SPDX-License-Identifier: ISC */
/* Reads and writes small configuration files as a whole. */
#ifndef TUNLEASE_LEASECTL_HOST_TEXTFILE_H
#define TUNLEASE_LEASECTL_HOST_TEXTFILE_H

#include "leasectl/ctl.h"

enum { TEXTFILE_BYTES_MAX = 262144 };

/* The text of a file, which the caller frees, cut at TEXTFILE_BYTES_MAX; NULL when it cannot be
 * read. */
char *textfile_read(const char *path);

/* Writes all of it or nothing: to a new file next to path, then rename(2). EXIT_DONE, or the exit
 * code with the error printed. */
int textfile_write(const struct ctl *ctl, const char *path, const char *text);

#endif
