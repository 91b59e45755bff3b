/* SPDX-License-Identifier: ISC */
/*
 * What is missing of RunDir is made by whoever needs it and is root (docs/design.md 10): a
 * container without tmpfiles.d, or a wiped /run, keeps nobody out. RunDir and sessions/ in it are
 * 0750 root:_tunlease, lock/ is root's, 0700; where there is no such group (a private instance)
 * they are of the maker's own.
 */
#ifndef TUNLEASE_SESSION_RUN_DIR_H
#define TUNLEASE_SESSION_RUN_DIR_H

struct registry;

/*
 * Each directory appears under its name with its owner and mode, at once, so that several makers do
 * not disturb each other, and one that is killed leaves no half. What is there is never changed,
 * and only entered where it is root's or the effective user's, no link, and writable by nobody
 * else; the same holds for the directory above RunDir, which is not made. 0, or -1 with errno set
 * (EPERM: not safe).
 */
int run_dir_make(const char *run_dir);

/* registry_open for writing; what is missing is made first by one who is root. */
int run_dir_open(const char *run_dir, struct registry *ret);

#endif
