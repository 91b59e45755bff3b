/* SPDX-License-Identifier: ISC */
/* The sshd that serves this host: which program it is, and which version of it. */
#ifndef TUNLEASE_LEASECTL_HOST_SSHD_H
#define TUNLEASE_LEASECTL_HOST_SSHD_H

#include "leasectl/host/sshd_version.h"
#include "leasectl/host/systemd.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct buf;
struct conf;

#define SSHD_DROPIN TUNLEASE_SYSCONFDIR "/ssh/sshd_config.d/20-tunlease.conf"

enum { SSHD_PATH_BYTES = 512 };

struct sshd {
    char path[SSHD_PATH_BYTES];          /* the program to ask */
    char how[SSHD_PATH_BYTES];           /* how it was found, as a clause for people */
    struct sshd_version program_version; /* as it says with -V */
    pid_t listener;                      /* the process that listens; 0: none was found */
    bool replaced;                       /* its program is another file by now */
    bool by_systemd; /* systemd holds the port, too, and starts it when somebody comes */
    /* the systemd unit it runs in, or that a socket starts; "": none */
    char unit[SYSTEMD_UNIT_BYTES];
    char host[64]; /* where it listens, for a client here; "": not known */
    uint16_t port;
    uint64_t socket; /* the inode of that listening socket; 0: none */
};

/*
 * Which sshd serves: Sshd of the configuration, else the program of the process that listens on
 * PublicPort or 22, where that is an OpenSSH, else what a systemd socket there starts, else
 * /usr/sbin/sshd. Who is not root sees no listener. 0, or -1 with why in out.
 */
int sshd_find(const struct conf *conf, struct sshd *ret, struct buf *out);

/* The version of the listening process itself. False: there is none, or it cannot be told. */
bool sshd_listener_version(const struct sshd *s, struct sshd_version *ret);

/* The path of a process's program; of one that was replaced since, the path that it had. */
bool sshd_program_of(pid_t pid, char path[static SSHD_PATH_BYTES], bool *ret_replaced);

/* The path of a tool of the same installation, or its bare name to be looked up. */
void sshd_tool(const struct sshd *s, const char *name, char out[static SSHD_PATH_BYTES]);

#endif
