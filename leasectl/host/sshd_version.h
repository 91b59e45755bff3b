/* SPDX-License-Identifier: ISC */
/* Versions of OpenSSH. */
#ifndef TUNLEASE_LEASECTL_HOST_SSHD_VERSION_H
#define TUNLEASE_LEASECTL_HOST_SSHD_VERSION_H

#include <stdbool.h>

struct sshd_version {
    unsigned major, minor;
};

bool sshd_at_least(const struct sshd_version *v, unsigned major, unsigned minor);
bool sshd_same_version(const struct sshd_version *a, const struct sshd_version *b);
/* Parses `9.2` or `10.0p2`. False when text does not start with a version. */
bool sshd_parse_version(const char *text, struct sshd_version *ret);

#endif
