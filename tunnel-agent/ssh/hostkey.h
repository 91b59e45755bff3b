/* SPDX-License-Identifier: ISC */
/* Learns host keys that are not known yet. It runs ssh and blocks: call it before the loop begins,
 * or inside a job. */
#ifndef TUNLEASE_AGENT_SSH_HOSTKEY_H
#define TUNLEASE_AGENT_SSH_HOSTKEY_H

#include "lib/lease/pubkey.h"
#include "tunnel-agent/ssh/message.h"

struct buf;
struct leg;
struct settings;

enum { HOSTKEY_WHY_BYTES = 512 };

struct hostkey {
    char fingerprint[FINGERPRINT_BYTES];
    char type[PUBKEY_TYPE_BYTES];
};

/*
 * Learns the key of leg's host, through the jump hosts and proxies of the leg, without a login.
 * With wanted (SHA256:..., or NULL) it tries each type of key until one has that fingerprint. Puts
 * the line for a known_hosts file into ret_line. scratch: a path for a temporary file. Returns
 * NULL, or why, which then holds a sentence.
 */
const char *hostkey_fetch(const struct leg *leg, const struct settings *s, const char *wanted,
                          const char *scratch, struct hostkey *ret, struct buf *ret_line,
                          char why[static HOSTKEY_WHY_BYTES]);

/* Which message of ssh is in why, as hostkey_fetch wrote it. */
enum ssh_message hostkey_failure(const char *why);

#endif
