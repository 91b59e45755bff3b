/* SPDX-License-Identifier: ISC */
/* An http:// or https:// URL, as far as the control plane needs one. */
#ifndef TUNLEASE_AGENT_GATEWAY_URL_H
#define TUNLEASE_AGENT_GATEWAY_URL_H

#include <stdbool.h>
#include <stdint.h>

enum { HTTP_HOST_BYTES = 256, HTTP_PATH_BYTES = 256 };

struct http_url {
    bool tls;
    char host[HTTP_HOST_BYTES]; /* no brackets */
    uint16_t port;
    char path[HTTP_PATH_BYTES]; /* "/" at least */
};

/* NULL and *ret, or why not, as a clause. Names without a scheme, with a user, a query or blanks
 * are refused. */
const char *http_url_parse(const char *text, struct http_url *ret);
bool http_url_is_loopback(const struct http_url *url);

#endif
