/* SPDX-License-Identifier: ISC */
/* An http:// or https:// URL of a control port. Pure. */
#ifndef TUNLEASE_AGENT_GATEWAY_URL_H
#define TUNLEASE_AGENT_GATEWAY_URL_H

#include <stdbool.h>
#include <stdint.h>

enum { URL_HOST_BYTES = 256, URL_PATH_BYTES = 256 };

struct url {
    bool tls;
    char host[URL_HOST_BYTES]; /* no brackets */
    uint16_t port;
    char path[URL_PATH_BYTES]; /* "/" at least */
};

/* NULL and *ret; or the problem as the predicate of a sentence. A URL without a scheme, or with a
 * user, a query or blanks is refused. */
const char *url_parse(const char *text, struct url *ret);
/* True if the host is loopback without asking a resolver. */
bool url_is_loopback(const struct url *url);

#endif
