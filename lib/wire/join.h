/* SPDX-License-Identifier: ISC */
/*
 * What the program `join` asks of leased and is told, over leased's join socket (docs/protocol.md
 * 10): the JSON of both, in both directions. An answer ends up on a stranger's terminal and decides
 * an exit status, so join_answer_parse checks all of it.
 */
#ifndef TUNLEASE_WIRE_JOIN_H
#define TUNLEASE_WIRE_JOIN_H

#include "lib/lease/pubkey.h"
#include "lib/wire/join_exit.h"

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct control_request;

/* Set by the Makefile from RUNSTATEDIR. join knows no other; a private leased has its own
 * (RunDir-join/socket). */
#define JOIN_SOCKET_DIR TUNLEASE_RUNSTATEDIR "/tunlease-join"
#define JOIN_SOCKET JOIN_SOCKET_DIR "/socket"

enum {
    JOIN_CODE_MAX = 64, /* bytes of a code as a client types it; join refuses a longer one itself */
    JOIN_REQUEST_BYTES_MAX = 8192, /* of a body */
    JOIN_ANSWER_BYTES_MAX = 262144,
};

struct join_request {
    char code[JOIN_CODE_MAX + 1];
    const char *key_type, *key_base64; /* the key that sshd verified */
    bool json;                         /* the lease as JSON, not a text for people */
    bool lease_only;                   /* an invite of a private host is refused, and not spent */
};

struct join_answer {
    int exit;   /* enum join_exit, and never JOIN_USAGE */
    char *text; /* owned. Lines of printable UTF-8; with json and exit 0 the lease as an object,
                   which may hold an agent's secret: wipe it */
};

/* Adds the body of a request. 0, or -1: out of memory, or the code is not UTF-8. */
int join_request_format(const struct join_request *r, struct buf *out);

/* For http: parses the body of a request into *ret, which the caller initialised for CONTROL_JOIN.
 * NULL; or the problem, as a sentence. join_other_action: it asks for something else. */
const char *join_request_parse(const char *body, size_t len, struct control_request *ret);
extern const char join_other_action[];

/* Adds the body of an answer. 0, or -1: out of memory, or the text is not UTF-8. */
int join_answer_format(int exit, const char *text, struct buf *out);

/* Parses the body of an answer with status 200. NULL, and *ret is the caller's to release; or the
 * problem, as the predicate of a sentence: "has no valid exit". */
const char *join_answer_parse(const char *body, size_t len, struct join_answer *ret);

/* Wipes the text, and frees it. */
void join_answer_release(struct join_answer *a);

#endif
