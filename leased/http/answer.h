/* SPDX-License-Identifier: ISC */
/* Answers: their HTTP, and their way out through the client's socket. */
#ifndef TUNLEASE_LEASED_HTTP_ANSWER_H
#define TUNLEASE_LEASED_HTTP_ANSWER_H

#include "leased/http/connection.h"
#include "leased/http/request.h"
#include "lib/base/buf.h"
#include "lib/wire/control.h"

#include <stdint.h>

/* What all answers are made with, one at a time. */
struct answers {
    const struct control_site *site; /* may change at any time */
    struct control_site_cache site_cache;
    struct buf body;                  /* of the answer that is being sent */
    struct control_answer own_answer; /* instead of engine's */
    int64_t date_s;                   /* when date was written */
    char date[32];
};

void answers_init(struct answers *a, const struct control_site *site);
void answers_release(struct answers *a);

/* The one answer to the request that c is at: what engine said, or a refusal. c is READING,
 * LINGERING or SENDING then, or gone. */
void answer_send(struct answers *a, struct connection *c, const struct control_answer *said);
void answer_refuse(struct answers *a, struct connection *c, const struct refusal *refusal);

/* When the socket of a connection that is SENDING takes more. Once all is out it is READING or
 * LINGERING, and it is gone when the client is. */
void answer_send_rest(struct connection *c);

#endif
