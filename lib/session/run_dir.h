/* SPDX-License-Identifier: ISC */
/*
 * Makes what is missing of RunDir. Every program that needs it and runs as root does so
 * (docs/design.md 10): a container without tmpfiles.d, or a wiped /run, keeps nobody out. RunDir
 * and its sessions/ are 0750 root:_tunlease, its lock/ is 0700 root:root, and so are those of its
 * join/, the registry of the join connections. Where the group _tunlease
 * does not exist (a private instance), all belongs to the maker's user and group.
 */
#ifndef TUNLEASE_SESSION_RUN_DIR_H
#define TUNLEASE_SESSION_RUN_DIR_H

struct registry;

#define JOIN_DIRECTORY "join" /* below RunDir: lib/session/join_session.h */

/*
 * Makes RunDir, sessions/, lock/ and join/ where they are missing. Each appears under its name with
 * its owner and mode already set, so concurrent makers do not disturb each other, and a maker that
 * is killed leaves nothing half-made under these names. What exists is never changed. RunDir is
 * used only if it is no link, belongs to root or the effective user, and nobody else may write to
 * it. The same holds for its parent directory, which is not made, and which may be reached through
 * a link (/var/run). Returns 0, or -1 with errno (EPERM: not safe).
 */
int run_dir_make(const char *run_dir);

/* registry_open for writing. If something is missing and the caller is root, it is made first. */
int run_dir_open(const char *run_dir, struct registry *ret);

#endif
