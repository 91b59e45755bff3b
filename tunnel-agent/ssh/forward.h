/* SPDX-License-Identifier: ISC */
/* A forward to one port of a far host's loopback, through an ssh of its own.
 */
#ifndef TUNLEASE_AGENT_SSH_FORWARD_H
#define TUNLEASE_AGENT_SSH_FORWARD_H

#include <stdint.h>
#include <sys/types.h>

enum { SSHFORWARD_WHY_BYTES = 256 };

struct sshforward {
    uint16_t port; /* the local one, on loopback */
    pid_t pid;     /* 0 or less: no ssh runs */
    int err_fd;
};

/*
 * Starts ssh to a host of the user's configuration (config_file: -F, or NULL), and blocks until
 * that ssh listens, or until end_ms of the monotonic clock. The local port is far_port if that is
 * free, else any free one. 0, or -1 with the reason in why; close it either way.
 */
int sshforward_open(struct sshforward *f, const char *to, const char *config_file,
                    uint16_t far_port, int64_t end_ms, char why[static SSHFORWARD_WHY_BYTES]);
void sshforward_close(struct sshforward *f);

#endif
