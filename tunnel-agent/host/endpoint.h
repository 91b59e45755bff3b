/* SPDX-License-Identifier: ISC */
/* HOST:PORT as programs read it: an IPv6 address stands in brackets. */
#ifndef TUNLEASE_AGENT_HOST_ENDPOINT_H
#define TUNLEASE_AGENT_HOST_ENDPOINT_H

#include <stddef.h>

struct buf;

enum { ENDPOINT_HOST_MAX = 255, ENDPOINT_BYTES = ENDPOINT_HOST_MAX + sizeof("[]:65535") };

/* host has no brackets. A host longer than ENDPOINT_HOST_MAX is cut off. */
void endpoint_format(const char *host, unsigned port, char out[static ENDPOINT_BYTES]);

/* Adds HOST:PORT, or HOST:LOW-HIGH of count ports from port on. */
void endpoint_add(struct buf *out, const char *host, unsigned port, size_t count);

#endif
