/* SPDX-License-Identifier: ISC */
/* What is done once, or anew at a reload: sockets, the http process, the configuration. */
#ifndef TUNLEASE_LEASED_START_H
#define TUNLEASE_LEASED_START_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct api_keys;
struct conf;

/* What the command line says. */
struct start_options {
    const char *conf_file; /* NULL: the default */
    bool unconfined;       /* go on where the http process cannot be confined */
    bool to_stderr;        /* log there */
};

/* What a well-formed configuration may still name that is not there. 0; or -1, logged. */
int start_check(const struct conf *conf);

/* Opens what http listens on, or takes what systemd passed: then *ret_passed is true. 0; or -1,
 * logged with what to do. */
int start_listening(const struct conf *conf, bool *ret_passed);

/* As struct program has it; arg: struct start_options. Without privileges. */
pid_t start_http_process(void *arg, const struct conf *conf, int *ret_fd);

/* main() of that process. */
int start_http_main(int argc, char **argv);

/* As struct program has it; arg: struct start_options. */
void start_reload(void *arg, struct conf *conf, struct api_keys *keys);

/* Of a program that was started as root: the user _tunlease from here on, with CAP_KILL alone. A
 * private instance, where that user does not exist, stays who it is. 0 or -1, logged. */
int start_drop_privileges(void);

#endif
