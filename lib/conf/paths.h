/* SPDX-License-Identifier: ISC */
/*
 * The two settings that the login path (akc, pam_tunnel) needs. All other lines of the file are
 * ignored, so that a typing error in one of them locks nobody out (tunlease.conf(5)).
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

/*
 * file NULL is CONF_DEFAULT_FILE; if it is missing, the defaults apply. A file that is named must
 * exist: otherwise a typing error in a private instance's -c would serve the host's leases. Returns
 * NULL and *ret, or why not, as a clause about the file.
 */
const char *conf_paths_load(const char *file, struct conf_paths *ret);

/* NULL if path is absolute and short enough to append a file name; else why not, as a clause. */
const char *conf_path_problem(const char *path);

#endif
