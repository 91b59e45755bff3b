/* SPDX-License-Identifier: ISC */
/*
 * The arguments of pam_tunnel.so.
 *
 * The module runs as root inside sshd, su, login, cron and sudo. It changes nothing in its host
 * process (signals, umask, environment, directory, standard descriptors), never waits without a
 * deadline, and prints nothing.
 */
#ifndef TUNLEASE_PAM_TUNNEL_ARGS_H
#define TUNLEASE_PAM_TUNNEL_ARGS_H

#include <stdbool.h>

/* As they stand in the PAM stack. libpam owns the texts, for this call. */
struct module_args {
    const char *conf_file; /* NULL: the default one */
    const char *group;
    const char *join_group; /* of JoinLogin; NULL: not given, and there is none */
    const char *service;    /* sshd's PAM service name */
    const char *akc;
    const char *akc_user;
    bool debug;
    bool end_refused; /* end=no leaves a refused connection to sshd: dead, but connected */
    const char *bad;  /* the first word that is none of these: tunnel logins are refused */
};

void module_args_parse(int argc, const char **argv, struct module_args *ret);

#endif
