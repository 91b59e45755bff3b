/* SPDX-License-Identifier: ISC */
/* One request to leased over HTTP, at an address of its configuration. */
#ifndef TUNLEASE_LEASECTL_HOST_HTTP_ASK_H
#define TUNLEASE_LEASECTL_HOST_HTTP_ASK_H

struct buf;
struct conf_listener;

/* Sends request, and adds what is answered, up to a few KiB. Waits two seconds at most. NULL; or
 * why there is no answer, as a clause. */
const char *http_ask(const struct conf_listener *at, const char *request, struct buf *answer);

#endif
