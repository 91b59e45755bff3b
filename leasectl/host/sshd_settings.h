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
void sshd_setting_values(const struct buf *effective, const char *keyword, struct buf *out);

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

#endif
