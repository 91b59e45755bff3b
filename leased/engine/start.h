/* SPDX-License-Identifier: ISC */
/* What is done once, or anew at a reload: sockets, the http process, the configuration. */
#ifndef TUNLEASE_LEASED_START_H
#define TUNLEASE_LEASED_START_H

#include <stdbool.h>
#include <sys/types.h>

struct conf;
struct engine;

/* What a well-formed configuration may still name that is not there. 0; or -1, logged. */
int start_check(const struct conf *conf);

/* Opens what http listens on, or takes what systemd passed. 0; or -1, logged with what to do. */
int start_listening(struct engine *e);

/* Forks http, without privileges. Its pid and our end of the packets; or -1. */
pid_t start_http_process(struct engine *e, int *ret_fd);

/* main() of that process. */
int start_http_main(int argc, char **argv);

/* The configuration anew; a bad one is logged, and the old one stays. */
void start_reload(struct engine *e);

/* Of a program that was started as root: the user _tunlease from here on, with CAP_KILL alone. A
 * private instance, where that user does not exist, stays who it is. 0 or -1, logged. */
int start_drop_privileges(void);

#endif
