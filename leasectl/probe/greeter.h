/* SPDX-License-Identifier: ISC */
/* A service of our own that attempts can reach. */
#ifndef TUNLEASE_LEASECTL_PROBE_GREETER_H
#define TUNLEASE_LEASECTL_PROBE_GREETER_H

#include <stdint.h>

/*
 * A TCP service on 127.0.0.1 (port 0: any free one) and, when path is not NULL, one on a unix
 * socket that every user may connect to. Both send a greeting to each client and close. They run in
 * a child process that dies with us. greeter_start returns 0 or -1.
 */
struct greeter {
    int pid;
    uint16_t port;
};

int greeter_start(struct greeter *g, uint16_t port, const char *path);

void greeter_stop(struct greeter *g);

#endif
