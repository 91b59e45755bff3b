/* SPDX-License-Identifier: ISC */
/* Host keys that are not known yet. Runs ssh and waits: before the loop begins, or inside a job. */
#ifndef TUNLEASE_AGENT_SSH_HOSTKEY_H
#define TUNLEASE_AGENT_SSH_HOSTKEY_H

#include "lib/lease/pubkey.h"
#include "tunnel-agent/ssh/message.h"

struct buf;
struct leg;
struct settings;

struct hostkey {
    char fingerprint[FINGERPRINT_BYTES];
    char type[PUBKEY_TYPE_BYTES];
};

/*
 * Asks leg's host for its key, through whatever ssh would go through, and logs in as nobody. With
 * wanted (SHA256:..., or NULL) every type of key is tried until one has that fingerprint. The line
 * for a known_hosts file goes to ret_line. scratch: a path for a file of ours, removed again.
 * NULL, or why not, as a sentence in why.
 */
const char *hostkey_fetch(const struct leg *leg, const struct settings *s, const char *wanted,
                          const char *scratch, struct hostkey *ret, struct buf *ret_line,
                          char why[static 256]);

/* What ssh had said when hostkey_fetch failed with this sentence. */
enum ssh_message hostkey_failure(const char *why);

#endif
