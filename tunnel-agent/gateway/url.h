/* SPDX-License-Identifier: ISC */
/* An http:// or https:// URL, as far as the control plane needs one. */
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

/* NULL and *ret, or why not, as a clause. Names without a scheme, with a user, a query or blanks
 * are refused. */
const char *url_parse(const char *text, struct url *ret);
bool url_is_loopback(const struct url *url);

#endif
