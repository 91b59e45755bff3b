/* SPDX-License-Identifier: ISC */
/* Formats answers as HTTP and writes them to the client's socket. */
#ifndef TUNLEASE_LEASED_HTTP_ANSWER_H
#define TUNLEASE_LEASED_HTTP_ANSWER_H

#include "leased/http/connection.h"
#include "leased/http/request.h"
#include "lib/base/buf.h"
#include "lib/wire/control.h"

#include <stdbool.h>
#include <stdint.h>

/* What every answer is formatted with. One is formatted at a time. */
struct answers {
    const struct control_site *site; /* shared with engine: may change at any time */
    struct control_site_cache site_cache;
    struct buf body;                  /* of the answer that is being sent */
    struct control_answer own_answer; /* an answer that http itself makes */
    int64_t date_s;                   /* when date was written */
    char date[32];
};

void answers_init(struct answers *a, const struct control_site *site);
void answers_release(struct answers *a);

/* Adds a packet of a report of several to those that came before for c. True: it is whole now, and
 * answer_send sends it. False: more come, or c was dropped. */
bool answer_add_packet(struct connection *c, const struct control_answer *answer);

/* Answer the request that c has under way: with engine's answer, or with a refusal of our own. Then
 * c is READING, LINGERING or SENDING, or was dropped. */
void answer_send(struct answers *a, struct connection *c, const struct control_answer *answer);
void answer_refuse(struct answers *a, struct connection *c, const struct refusal *refusal);

/* Call when the socket of a SENDING connection is writable. Once the whole answer is written, c is
 * READING or LINGERING. If the client has gone, c is dropped. */
void answer_send_rest(struct connection *c);

#endif
