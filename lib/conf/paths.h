/* SPDX-License-Identifier: ISC */
/*
 * The two settings that the login path needs (akc, pam_tunnel). Everything else in the file is
 * skipped unread, so that a typing error elsewhere locks nobody out (tunlease.conf(5)).
 */
#ifndef TUNLEASE_CONF_PATHS_H
#define TUNLEASE_CONF_PATHS_H

/* Set by the Makefile from SYSCONFDIR, LOCALSTATEDIR and RUNSTATEDIR. */
#define CONF_DEFAULT_FILE TUNLEASE_SYSCONFDIR "/tunlease/tunlease.conf"
#define CONF_DEFAULT_DATABASE TUNLEASE_LOCALSTATEDIR "/lib/tunlease/leases.db"
#define CONF_DEFAULT_RUN_DIR TUNLEASE_RUNSTATEDIR "/tunlease"

enum { CONF_PATH_BYTES = 256 };

struct conf_paths {
    char database[CONF_PATH_BYTES];
    char run_dir[CONF_PATH_BYTES];
};

/* file NULL: CONF_DEFAULT_FILE, and the defaults where there is none; a named one must be there, or
 * a private instance's typing error would serve the host's leases. NULL, or why not, as a clause
 * about the file. */
const char *conf_paths_load(const char *file, struct conf_paths *ret);

/* Absolute, and short enough to append a file name. NULL, or why not. */
const char *conf_path_problem(const char *path);

#endif
