/* SPDX-License-Identifier: ISC */
/* The local sshd: its version, what is in force for a login, and reloading it. */
#ifndef TUNLEASE_LEASECTL_SSHD_H
#define TUNLEASE_LEASECTL_SSHD_H

#include "lib/base/buf.h"
#include "lib/lease/pubkey.h"

#include <stdbool.h>
#include <stdint.h>

#define SSHD_DROPIN TUNLEASE_SYSCONFDIR "/ssh/sshd_config.d/20-tunlease.conf"

struct sshd_version {
    unsigned major, minor;
};

/* As `sshd -V` says. False when there is no sshd, or its answer is not understood. */
bool sshd_get_version(struct sshd_version *ret);
bool sshd_at_least(const struct sshd_version *v, unsigned major, unsigned minor);

/*
 * What `sshd -T` prints, one lower-case `keyword value` a line: for login as it comes from
 * 127.0.0.1, or the global settings when login is NULL. Needs root. 0, or -1 with why in out.
 */
int sshd_effective(const char *login, struct buf *out);

/* The value of keyword in such a text, "" when it is not there; into value. */
void sshd_setting(const struct buf *effective, const char *keyword, char *value,
                  size_t value_bytes);

/* Host key files, one a line: those in force, or the usual ones where sshd cannot be asked. */
void sshd_host_keys(struct buf *out);
bool sshd_read_public_key(const char *path, struct pubkey *ret);

/* Where it listens, for a client on this host: an address and a port. 0, or -1 with why in out. */
int sshd_address(char host[static 64], uint16_t *ret_port, struct buf *out);

/* `sshd -t`: 0, or -1 with its words in out. */
int sshd_test(struct buf *out);

/* Makes the running sshd read its configuration again; live connections stay. 0, or -1 with why.
 * *ret_running: false when there was none to tell. */
int sshd_reload(struct buf *out, bool *ret_running);

#endif
