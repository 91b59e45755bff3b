/* SPDX-License-Identifier: ISC */
/*
 * What http tells agents about this gateway: a page of memory that both processes map. So http sees
 * the result of a reload without a message. http can only read it.
 */
#ifndef TUNLEASE_LEASED_SITE_PAGE_H
#define TUNLEASE_LEASED_SITE_PAGE_H

#include "lib/wire/control.h"

struct conf;

struct site_page {
    struct control_site *shared; /* NULL: not made yet */
    int fd;                      /* close-on-exec */
};

/* Writes what the configuration says, and sshd's host keys, to the page; makes it the first time.
 * 0; or -1 with errno. */
int site_page_update(struct site_page *page, const struct conf *conf);

/* In http: maps the page read-only and closes fd. NULL: errno says why. */
const struct control_site *site_page_map(int fd);

#endif
