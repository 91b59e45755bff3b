/* SPDX-License-Identifier: ISC */
/* The command line of `tunnel-agent join`. */
#ifndef TUNLEASE_AGENT_JOIN_JOIN_WORDS_H
#define TUNLEASE_AGENT_JOIN_JOIN_WORDS_H

#include "lib/lease/invite_code.h"
#include "tunnel-agent/host/why.h"

#include <stdbool.h>

enum { JOIN_TO_BYTES = 400 };

/* identity, host_key and target are borrowed from argv. */
struct join_words {
    char to[JOIN_TO_BYTES];       /* [USER@]HOST, as ssh takes it */
    char port[8];                 /* "": ssh's own choice */
    char code[INVITE_CODE_BYTES]; /* in canonical form */
    const char *identity;         /* of -i; NULL: the key in the state directory */
    const char *host_key;         /* SHA256:..., or NULL */
    const char *target;           /* HOST:PORT of --target, or NULL */
    bool is_service;              /* -d: asks no questions */
    bool no_hold;                 /* --no-hold: ends when it has joined */
};

/* Reads the words, and the code from where they say. 0, or -1 with a sentence in why. */
int join_words_parse(int argc, char **argv, struct join_words *ret, char why[static WHY_BYTES]);

/* Splits [USER@]HOST[:PORT], where an IPv6 address with a port stands in brackets. NULL; or the
 * problem, as the predicate of a sentence. Pure. */
const char *join_words_set_to(struct join_words *w, const char *text);

#endif
