/* SPDX-License-Identifier: ISC */
/* What a reader of the page looks for: a part of a name or login, in any case, or a port. Pure. */
#ifndef TUNLEASE_LEASED_STATUS_FILTER_H
#define TUNLEASE_LEASED_STATUS_FILTER_H

#include <stdbool.h>
#include <stdint.h>

struct filter {
    const char *text; /* "": everything matches */
    uint16_t port;    /* 0: text is no port */
};

/* text must outlive the filter. */
struct filter filter_make(const char *text);

bool filter_has_text(const struct filter *f, const char *text);

/*
 * Cuts the next port or range off a list of permits, as lib/lease writes them: `127.0.0.1:8009`,
 * `[::1]:20000-20009`. An item without one, such as `agent:NAME`, is skipped. False: no more.
 */
bool filter_next_ports(const char **rest, uint16_t *ret_low, uint16_t *ret_high);

/* Whether the port is in a list of permits (NULL: it has none). */
bool filter_has_port(const struct filter *f, const char *permits);

#endif
