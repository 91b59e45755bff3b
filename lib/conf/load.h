/* SPDX-License-Identifier: ISC */
/* Loading the configuration: the file, leased.env and, for leased, its own environment. */
#ifndef TUNLEASE_CONF_LOAD_H
#define TUNLEASE_CONF_LOAD_H

#include "lib/conf/conf.h"

/*
 * Reads file (NULL: CONF_DEFAULT_FILE, which may be missing; a named one may not) and leased.env
 * in the same directory. 0 and *ret, to be released; or -1 and one line in err, with file:line
 * where a line is to blame. Warnings are added to warnings (may be NULL), each with a newline.
 */
int conf_load(const char *file, struct conf *ret, char err[static CONF_ERROR_BYTES],
              struct buf *warnings);
/* For what ends something, which a wrong line must not stop: each goes to problems in words, and is
 * left out. -1 still: Database or RunDir, or the file as a whole, cannot be read. */
int conf_load_tolerant(const char *file, struct conf *ret, char err[static CONF_ERROR_BYTES],
                       struct buf *problems);
/* For leased: a leased.env that others or akc's user can read is refused, which is a warning of the
 * other. The names of leased.env in its own environment win over both files. Keys are taken
 * out of the environment, which children and /proc have, and kept for the next time. */
int conf_load_daemon(const char *file, struct conf *ret, char err[static CONF_ERROR_BYTES],
                     struct buf *warnings);

#endif
