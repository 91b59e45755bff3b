/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/host/endpoint.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

void endpoint_format(const char *host, unsigned port, char out[static ENDPOINT_BYTES])
{
    bool six = strchr(host, ':') != NULL;
    (void)snprintf(out, ENDPOINT_BYTES, "%s%.*s%s:%u", six ? "[" : "", ENDPOINT_HOST_MAX, host,
                   six ? "]" : "", port);
}
