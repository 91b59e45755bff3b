/* SPDX-License-Identifier: ISC */
/* Parses the query of /status.json: `filter=TEXT&leases=100` (docs/protocol.md 8.4). Pure. */
#ifndef TUNLEASE_LEASED_HTTP_STATUS_QUERY_H
#define TUNLEASE_LEASED_HTTP_STATUS_QUERY_H

#include "leased/http/http_head.h"
#include "lib/wire/control.h"

/* Sets the filter and the offsets of *ret, which was initialised. NULL; or what is wrong, for
 * people. Words that it does not know are ignored. */
const char *status_query_parse(const struct http_slice *query, struct control_request *ret);

#endif
