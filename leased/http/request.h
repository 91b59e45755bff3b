/* SPDX-License-Identifier: ISC */
/* Turns the head and body of an HTTP request into a control request, or into a refusal. Pure. */
#ifndef TUNLEASE_LEASED_HTTP_REQUEST_H
#define TUNLEASE_LEASED_HTTP_REQUEST_H

#include "leased/http/client.h"
#include "leased/http/http_head.h"
#include "lib/wire/control.h"

/* What a client is told instead of engine's answer. why NULL: the request is not refused. */
struct refusal {
    const char *why; /* a sentence for people */
    int status;
    enum control_code code;
    const char *allow; /* value of the Allow header of a 405 (RFC 9110 section 15.5.6), or NULL */
};

/* The refusal of a head that http_head_parse refused with this status. */
struct refusal request_head_refusal(int status);

/* Whether this is a request for the page, one of its parts or its data, where these are served. */
bool request_is_page(const struct client *client, const struct http_head *head);

/* Refuses what can be refused by the head alone. Behind a proxy, sets the client's address.
 * public_host: as in page_guard_problem. */
struct refusal request_check(struct client *client, const struct http_head *head,
                             const char *public_host);

/* Fills *ret except for its id. Only for a request that passed request_check; body: all of it. */
struct refusal request_fill(const struct client *client, const struct http_head *head,
                            const char *body, struct control_request *ret);

#endif
