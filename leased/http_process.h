/* SPDX-License-Identifier: ISC */
/*
 * The http process is this program anew, not a copy of the engine: nothing that the engine ever
 * held in memory is in it. Both ends of that: how it is started, and how it starts.
 */
#ifndef TUNLEASE_LEASED_HTTP_PROCESS_H
#define TUNLEASE_LEASED_HTTP_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

struct sockets;

struct http_process_options {
    const struct sockets *sockets;
    int site_fd;     /* of the site page */
    bool unconfined; /* go on where it cannot be confined */
    bool to_stderr;  /* log there */
};

/* Forks it, without privileges. Its pid and our end of the packets; or -1 with errno. */
pid_t http_process_start(const struct http_process_options *o, int *ret_fd);

/* main() of that process: `leased --http ...`. */
int http_process_main(int argc, char **argv);

#endif
