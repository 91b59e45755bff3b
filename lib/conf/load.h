/* SPDX-License-Identifier: ISC */
/* Loading the configuration: the file, leased.env and, for leased, its own environment. */
#ifndef TUNLEASE_CONF_LOAD_H
#define TUNLEASE_CONF_LOAD_H

#include "lib/conf/conf.h"

struct buf;

/*
 * Reads file (NULL: CONF_DEFAULT_FILE, which may be missing; a named one may not) and leased.env
 * in the same directory. 0 and *ret, to be released; or -1, and everything that is wrong with it,
 * so that one try is enough to mend it: a line with a newline each, in problems, with file:line
 * where a line is to blame. Warnings are added to warnings (may be NULL) in the same way.
 */
int conf_load(const char *file, struct conf *ret, struct buf *problems, struct buf *warnings);

/* For a command that ends something, which a wrong line must not stop: what cannot be read is added
 * to problems and has its default. -1: Database or RunDir, or the file as a whole, cannot be read.
 */
int conf_load_tolerant(const char *file, struct conf *ret, struct buf *problems);

/* For leased: a leased.env that others or akc's user can read is refused, which is a warning of the
 * other two. The names of leased.env in its own environment win over both files. Keys are taken
 * out of the environment, which children and /proc have, and kept for the next time. */
int conf_load_daemon(const char *file, struct conf *ret, struct buf *problems,
                     struct buf *warnings);

#endif
