/* SPDX-License-Identifier: ISC */
/* One port of a far host's loopback, reached through an ssh that lives for as long as it is needed.
 */
#ifndef TUNLEASE_AGENT_SSH_FORWARD_H
#define TUNLEASE_AGENT_SSH_FORWARD_H

#include <stdint.h>
#include <sys/types.h>

enum { SSHFORWARD_WHY_BYTES = 256 };

struct sshforward {
    uint16_t port; /* of this host's loopback */
    pid_t pid;     /* not positive: no ssh runs */
    int err_fd;
};

/*
 * Logs in to `to`, a host of the user's configuration (config_file: -F, or NULL), and waits until
 * that ssh itself listens, or the monotonic clock shows end_ms. The far port's number is preferred
 * here as well, else a free one is taken. 0, or -1 with the reason in why; to be closed either way.
 */
int sshforward_open(struct sshforward *f, const char *to, const char *config_file,
                    uint16_t far_port, int64_t end_ms, char why[static SSHFORWARD_WHY_BYTES]);
void sshforward_close(struct sshforward *f);

#endif
