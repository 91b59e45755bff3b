/* SPDX-License-Identifier: ISC */
/* The settings of an sshd, as it prints and tests them itself (`sshd -T`, `sshd -t`). */
#ifndef TUNLEASE_LEASECTL_HOST_SSHD_SETTINGS_H
#define TUNLEASE_LEASECTL_HOST_SSHD_SETTINGS_H

#include "leasectl/host/sshd.h"
#include "lib/base/buf.h"
#include "lib/lease/pubkey.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A connection that sshd is asked about: what Match lines can tell apart. */
struct sshd_connection {
    const char *login;
    char addr[64];  /* the client's address */
    char host[256]; /* its name as sshd sees it: the address, without `UseDNS yes` */
    char laddr[64]; /* the gateway's address that it connects to */
    uint16_t lport;
};

/*
 * Adds the settings for a connection: one `keyword value` a line, with the keyword in lower case
 * whatever case this version prints. Needs root. 0, or -1 with why in out.
 */
int sshd_effective_for(const struct sshd *s, const struct sshd_connection *c, struct buf *out);

/* The same for a login from 127.0.0.1, or the global ones when login is NULL. */
int sshd_effective(const struct sshd *s, const char *login, struct buf *out);

/* The same for a login from addr; NULL: from 127.0.0.1. */
int sshd_effective_from(const struct sshd *s, const char *login, const char *addr, struct buf *out);

/* The first value of keyword (in lower case) in such a text; "" when it has none. */
void sshd_setting(const struct buf *effective, const char *keyword, char *value,
                  size_t value_bytes);

/* Adds all values of keyword, one a line, in their order. */
void sshd_setting_values(const struct buf *effective, const char *keyword, struct buf *out);

/*
 * Adds the paths of sshd's private host keys, one a line: those in force; or the default ones for a
 * caller who is not root, and so cannot query sshd. 0, or -1 with why in out, also when there are
 * none.
 */
int sshd_host_keys(const struct sshd *s, struct buf *out);
bool sshd_read_public_key(const char *path, struct pubkey *ret);

/* An address and port at which sshd can be reached from this host, IPv4 if there is one. 0, or -1
 * with why in out. */
int sshd_address(const struct sshd *s, char host[static 64], uint16_t *ret_port, struct buf *out);

/* Tests the configuration with `sshd -t`. 0, or -1 with the first line of its error in out. */
int sshd_test(const struct sshd *s, struct buf *out);

#endif
