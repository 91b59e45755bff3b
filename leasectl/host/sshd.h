/* SPDX-License-Identifier: ISC */
/*
 * The sshd that serves this host: which program it is, which version runs, what is in force for a
 * login, and reloading it.
 */
#ifndef TUNLEASE_LEASECTL_HOST_SSHD_H
#define TUNLEASE_LEASECTL_HOST_SSHD_H

#include "lib/base/buf.h"
#include "lib/lease/pubkey.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct conf;

#define SSHD_DROPIN TUNLEASE_SYSCONFDIR "/ssh/sshd_config.d/20-tunlease.conf"

enum { SSHD_PATH_BYTES = 512, SSHD_UNIT_BYTES = 256, SSHD_ZONE_BYTES = 128 };

struct sshd_version {
    unsigned major, minor;
};

bool sshd_at_least(const struct sshd_version *v, unsigned major, unsigned minor);
bool sshd_same_version(const struct sshd_version *a, const struct sshd_version *b);
/* `9.2`, `10.0p2`. False when it is none. */
bool sshd_parse_version(const char *text, struct sshd_version *ret);

struct sshd {
    char path[SSHD_PATH_BYTES];  /* the program to ask */
    char how[SSHD_PATH_BYTES];   /* how it was found, as a clause for people */
    struct sshd_version program; /* as it says with -V */
    pid_t listener;              /* the process that listens; 0: none was found */
    bool replaced;               /* its program is another file by now */
    bool by_systemd;            /* systemd holds the port, too, and starts it when somebody comes */
    char unit[SSHD_UNIT_BYTES]; /* the systemd unit it runs in, or that a socket starts; "": none */
    char host[64];              /* where it listens, for a client here; "": not known */
    uint16_t port;
    uint64_t socket; /* the inode of that listening socket; 0: none */
};

/* Whether a listening socket is on this port that is not the one of this inode. */
bool sshd_listens_anew(uint16_t port, uint64_t socket);

/* Whether systemd itself holds a listening socket on this port. */
bool sshd_port_is_systemds(uint16_t port);

/*
 * Which sshd serves: Sshd of the configuration, else the program of the process that listens on
 * PublicPort or 22, where that is an OpenSSH, else what a systemd socket there starts, else
 * /usr/sbin/sshd. Who is not root sees no listener. 0, or -1 with why in out.
 */
int sshd_find(const struct conf *conf, struct sshd *ret, struct buf *out);

/*
 * The version of what serves a login, which is its banner's: the listener starts its program anew
 * for each connection, so after an upgrade this is the new one. False: nobody answers so.
 */
bool sshd_running_version(const struct sshd *s, struct sshd_version *ret);

/* The version of the listening process itself. False: there is none, or it cannot be told. */
bool sshd_listener_version(const struct sshd *s, struct sshd_version *ret);

/* A connection to it, where we have said who we are, so that it logs no broken client. -1: none. */
int sshd_connect(const struct sshd *s);

/* The path of a process's program; of one that was replaced since, the path that it had. */
bool sshd_program_of(pid_t pid, char path[static SSHD_PATH_BYTES], bool *ret_replaced);

/* The path of a tool of the same installation, or its bare name to be looked up. */
void sshd_tool(const struct sshd *s, const char *name, char out[static SSHD_PATH_BYTES]);

/* ---- what `sshd -T` prints ---- */

/*
 * For login as it comes from 127.0.0.1, or the global settings when login is NULL: one `keyword
 * value` a line, the keyword in lower case whatever this version prints. Needs root. 0, or -1 with
 * why in out.
 */
int sshd_effective(const struct sshd *s, const char *login, struct buf *out);

/* The value of keyword (lower case) in such a text, "" when it has none; into value. */
void sshd_setting(const struct buf *effective, const char *keyword, char *value,
                  size_t value_bytes);

/* The values of keyword, one a line, in their order. */
void sshd_settings(const struct buf *effective, const char *keyword, struct buf *out);

/*
 * Host key files, one a line: those in force; for who is not root, and so cannot ask, the usual
 * ones. 0, or -1 with why in out: an empty list is none.
 */
int sshd_host_keys(const struct sshd *s, struct buf *out);
bool sshd_read_public_key(const char *path, struct pubkey *ret);

/* Where it listens, for a client on this host: an address and a port. 0, or -1 with why in out. */
int sshd_address(const struct sshd *s, char host[static 64], uint16_t *ret_port, struct buf *out);

/* `sshd -t`: 0, or -1 with its words in out. */
int sshd_test(const struct sshd *s, struct buf *out);

/* Makes the running sshd read its configuration again; live connections stay. 0, or -1 with why.
 * *ret_running: false when there was none to tell. */
int sshd_reload(const struct sshd *s, struct buf *out, bool *ret_running);

/* ---- the time zone in which it reads times ---- */

struct sshd_zone {
    bool is_set;                     /* it has a TZ in its environment */
    char tz[SSHD_ZONE_BYTES];        /* that */
    char localtime[SSHD_ZONE_BYTES]; /* else: what /etc/localtime is */
};

/*
 * Of the sshd that runs; where none does, of one without TZ. Asked by a connection: sshd writes
 * its title over the environment that /proc shows, so it is read from the process that sshd starts
 * for that connection, before it does so. Needs root. 0, or -1 with why in out.
 */
int sshd_ask_zone(const struct sshd *s, struct sshd_zone *ret, struct buf *out);

#endif
