/* SPDX-License-Identifier: ISC */
/*
 * Whom the page answers. A browser of somebody who may reach MetricsListen also runs pages of
 * strangers. Such a page could ask for ours by a name of its own that it lets point here, so the
 * Host must be an address, localhost or PublicHost. And it could load parts of ours into itself, so
 * a browser that says so (Sec-Fetch-Site) is refused. Pure.
 */
#ifndef TUNLEASE_LEASED_HTTP_PAGE_GUARD_H
#define TUNLEASE_LEASED_HTTP_PAGE_GUARD_H

#include "leased/http/http_head.h"

/* For a request of the page, one of its parts or /status.json. NULL; or why it is refused, for
 * people. */
const char *page_guard_problem(const struct http_head *head, const char *public_host);

#endif
