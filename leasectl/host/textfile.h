/* SPDX-License-Identifier: ISC */
/* Small files of configuration, whole. */
#ifndef TUNLEASE_LEASECTL_HOST_TEXTFILE_H
#define TUNLEASE_LEASECTL_HOST_TEXTFILE_H

#include "leasectl/ctl.h"

enum { TEXTFILE_BYTES_MAX = 262144 };

/* The text of a file, to be freed; NULL when it is not there or cannot be read. */
char *textfile_read(const char *path);

/* Whole or not at all: a new file beside it, then rename(2). EXIT_DONE, or the exit code with the
 * error printed. */
int textfile_write(const struct ctl *ctl, const char *path, const char *text);

#endif
