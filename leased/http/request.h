/* SPDX-License-Identifier: ISC */
/* From the head and body of an HTTP request to what engine is asked, or to a refusal. Pure. */
#ifndef TUNLEASE_LEASED_HTTP_REQUEST_H
#define TUNLEASE_LEASED_HTTP_REQUEST_H

#include "leased/http/client.h"
#include "leased/http/http_head.h"
#include "lib/wire/control.h"

/* What a client is told instead of engine's answer. why NULL: nothing, the request is good. */
struct refusal {
    const char *why; /* a sentence for people */
    int status;
    enum control_code code;
    const char *allow; /* the methods of a 405, as RFC 9110 section 15.5.6 has them; or NULL */
};

/* Of a head that http_head_parse refused with that status. */
struct refusal request_head_refusal(int status);

/* What is refused by its head alone, whatever its body is. Behind a proxy fills the client's
 * address. */
struct refusal request_check(struct client *client, const struct http_head *head);

/* Fills *ret but for its id, of a request that request_check lets pass; body: all of it. */
struct refusal request_fill(const struct client *client, const struct http_head *head,
                            const char *body, struct control_request *ret);

#endif
