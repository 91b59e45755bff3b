/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/host/endpoint.h"

#include "lib/base/buf.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

void endpoint_format(const char *host, unsigned port, char out[static ENDPOINT_BYTES])
{
    bool six = strchr(host, ':') != NULL;
    (void)snprintf(out, ENDPOINT_BYTES, "%s%.*s%s:%u", six ? "[" : "", ENDPOINT_HOST_MAX, host,
                   six ? "]" : "", port);
}

void endpoint_add(struct buf *out, const char *host, unsigned port, size_t count)
{
    char text[ENDPOINT_BYTES];
    endpoint_format(host, port, text);
    buf_add(out, text);
    if (count > 1)
        buf_addf(out, "-%u", port + (unsigned)count - 1);
}
