/* SPDX-License-Identifier: ISC */
/*
 * The settings that the login path (akc, pam_tunnel) needs. All other lines of the file are
 * ignored, so that a typing error in one of them locks nobody out (tunlease.conf(5)).
 */
#ifndef TUNLEASE_CONF_PATHS_H
#define TUNLEASE_CONF_PATHS_H

/* Set by the Makefile from SYSCONFDIR, LOCALSTATEDIR and RUNSTATEDIR. */
#define CONF_DEFAULT_FILE TUNLEASE_SYSCONFDIR "/tunlease/tunlease.conf"
#define CONF_DEFAULT_DATABASE TUNLEASE_LOCALSTATEDIR "/lib/tunlease/leases.db"
#define CONF_DEFAULT_RUN_DIR TUNLEASE_RUNSTATEDIR "/tunlease"

enum { CONF_PATH_BYTES = 256, CONF_NAME_BYTES = 33 /* a login or a group, and a NUL */ };

#define CONF_DEFAULT_FORWARD_LOGIN "pfwd"
#define CONF_DEFAULT_AGENT_LOGIN "gw-tunnel"
#define CONF_DEFAULT_TUNNEL_GROUP "_tunnel"

struct conf_paths {
    char database[CONF_PATH_BYTES];
    char run_dir[CONF_PATH_BYTES];
};

/* JoinLogin, and what it may not be (lib/conf/join_login.h). */
struct conf_logins {
    char join_login[CONF_NAME_BYTES]; /* "": not set */
    char forward_login[CONF_NAME_BYTES];
    char agent_login[CONF_NAME_BYTES];
    char jump_user[CONF_NAME_BYTES]; /* "": not set */
    char tunnel_group[CONF_NAME_BYTES];
    const char *problem; /* a line of one of them has no usable value: nobody may join. Else NULL */
};

/*
 * file NULL is CONF_DEFAULT_FILE; if it is missing, the defaults apply. A file that is named must
 * exist: otherwise a typing error in a private instance's -c would serve the host's leases. Returns
 * NULL and *ret, or why not, as a clause about the file.
 */
const char *conf_paths_load(const char *file, struct conf_paths *ret);

/* The same, and the logins of that file. What leased.env says in place of some of them
 * (tunlease.conf(5)) is not known here. A bad line of a login is no error: see problem there. */
const char *conf_paths_load_logins(const char *file, struct conf_paths *ret,
                                   struct conf_logins *ret_logins);

/* NULL if path is absolute and short enough to append a file name; else why not, as a clause. */
const char *conf_path_problem(const char *path);

#endif
