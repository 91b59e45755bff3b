/* SPDX-License-Identifier: ISC */
/*
 * Starts the http process, and is its main(). It is this program executed again and not a fork of
 * engine, so that it has nothing of what engine ever had in its memory.
 */
#ifndef TUNLEASE_LEASED_HTTP_PROCESS_H
#define TUNLEASE_LEASED_HTTP_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

struct sockets;

struct http_process_options {
    const struct sockets *sockets;
    int site_fd;     /* the site page */
    bool unconfined; /* go on if it cannot be confined */
    bool to_stderr;  /* log to standard error */
};

/* Starts the process. Returns its pid, and our end of the packet socket; or -1 with errno. */
pid_t http_process_start(const struct http_process_options *o, int *ret_fd);

/* main() of the process: `leased --http ...`. */
int http_process_main(int argc, char **argv);

#endif
