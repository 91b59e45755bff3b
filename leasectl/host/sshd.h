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
    char path[SSHD_PATH_BYTES];          /* the program to run with -V, -T and -t */
    char how[SSHD_PATH_BYTES];           /* how it was found, as a clause for people */
    struct sshd_version program_version; /* what it prints with -V */
    pid_t listener;                      /* the process that listens; 0: none was found */
    bool replaced;                       /* its program file was replaced since it started */
    bool by_systemd;                     /* systemd listens on the port, too, for a socket unit */
    /* the systemd service that it runs in, or that the socket unit starts; "": none */
    char unit[SYSTEMD_UNIT_BYTES];
    char config_file[SSHD_PATH_BYTES]; /* the one that it was started with (-f); "": the default */
    char host[64]; /* an address that reaches it from this host; "": not known */
    uint16_t port;
    uint64_t socket; /* the inode of that listening socket; 0: none */
};

/*
 * Finds the sshd that serves. Its program is the first of these that is an OpenSSH: Sshd of the
 * configuration; what listens on PublicPort, or what a systemd socket unit starts there; the same
 * on port 22; /usr/sbin/sshd. A caller who is not root finds no listener. 0, or -1 with why in out.
 */
int sshd_find(const struct conf *conf, struct sshd *ret, struct buf *out);

/* The same, but looks first for what listens on this port. ret->port is another one, or 0, if no
 * sshd was found there. */
int sshd_find_on_port(const struct conf *conf, uint16_t port, struct sshd *ret, struct buf *out);

/* The version of the program that the listening process runs, though its file may have been
 * replaced. False: nothing listens, or the version is unknown. */
bool sshd_listener_version(const struct sshd *s, struct sshd_version *ret);

/* The path of the program that a process runs. *ret_replaced: that file was replaced or removed
 * since; path is where it was. False: it cannot be read, or is too long. */
bool sshd_program_of(pid_t pid, char path[static SSHD_PATH_BYTES], bool *ret_replaced);

/* The path of a tool, such as ssh-keygen, of the same OpenSSH installation; else its bare name, to
 * be found in PATH. */
void sshd_tool(const struct sshd *s, const char *name, char out[static SSHD_PATH_BYTES]);

#endif
