/* SPDX-License-Identifier: ISC */
/* Where attempts connect to, and the places that they try to reach. */
#ifndef TUNLEASE_LEASECTL_PROBE_TARGET_H
#define TUNLEASE_LEASECTL_PROBE_TARGET_H

#include <stdbool.h>
#include <stdint.h>

enum { ATTEMPT_WORD_BYTES = 300 };

/* Where to connect to, and what the {words} of the table of attempts stand for; "": none. */
struct attempt_target {
    const char *host;
    uint16_t port;
    const char *source; /* the address to connect from (tunnel.h); NULL or "": any */
    const char *login;
    const char *key_file;
    const char *known_hosts;            /* a file with the keys of this sshd alone */
    const char *work_dir;               /* ours alone: sockets go here */
    char open[ATTEMPT_WORD_BYTES];      /* {open}: a permitted HOST:PORT */
    char respelled[ATTEMPT_WORD_BYTES]; /* {respelled}: the same place in words not permitted */
    char other[ATTEMPT_WORD_BYTES];  /* {other}: HOST:PORT not permitted, where something answers */
    char listen[ATTEMPT_WORD_BYTES]; /* {listen}: a permitted HOST:PORT to bind */
    char free_port[8];               /* {free}: a port not permitted that could be bound */
    char socket[ATTEMPT_WORD_BYTES]; /* {socket}: a unix socket on the gateway that answers */
};

/* Puts the target's values in place of {words}. False when a needed one is empty. */
bool target_expand(const struct attempt_target *t, const char *word,
                   char out[static ATTEMPT_WORD_BYTES]);

#endif
