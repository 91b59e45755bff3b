/* SPDX-License-Identifier: ISC */
/* Loads the configuration: tunlease.conf, leased.env and, for leased, its own environment. */
#ifndef TUNLEASE_CONF_LOAD_H
#define TUNLEASE_CONF_LOAD_H

#include "lib/conf/conf.h"

struct buf;

/*
 * Reads file and leased.env in the same directory. file NULL is CONF_DEFAULT_FILE, which may be
 * missing; a file that is named must exist. Returns 0 and *ret, to be released with conf_release.
 * Returns -1 if anything is wrong, and adds all of it to problems, so that an admin sees it in one
 * try: one line with a newline for each, which starts with file:line where a line is to blame.
 * Warnings are added to warnings (may be NULL) in the same form.
 */
int conf_load(const char *file, struct conf *ret, struct buf *problems, struct buf *warnings);

/*
 * For commands that end something: a wrong line must not stop them. Each wrong line is added to
 * problems and skipped. Returns -1 only if Database, RunDir or the file as a whole cannot be read.
 */
int conf_load_tolerant(const char *file, struct conf *ret, struct buf *problems);

/*
 * For leased. A leased.env that others or akc's user can read is a problem here, and a warning in
 * the other two. The names of leased.env in leased's own environment win over both files. Keys are
 * removed from the environment, because children inherit it and /proc shows it, and are remembered
 * for the next load.
 */
int conf_load_daemon(const char *file, struct conf *ret, struct buf *problems,
                     struct buf *warnings);

#endif
