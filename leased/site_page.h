/* SPDX-License-Identifier: ISC */
/*
 * What http tells agents of this gateway: a page that both processes map, so that a reload reaches
 * http without a word between the two. It only reads.
 */
#ifndef TUNLEASE_LEASED_SITE_PAGE_H
#define TUNLEASE_LEASED_SITE_PAGE_H

#include "lib/wire/control.h"

struct conf;

struct site_page {
    struct control_site *shared; /* NULL: not made yet */
    int fd;                      /* close-on-exec */
};

/* Fills the page with what the configuration says and with the host keys of sshd; makes it the
 * first time. 0; or -1 with errno. */
int site_page_update(struct site_page *page, const struct conf *conf);

/* In http: maps the page of that descriptor, which it closes, to be read. NULL: errno says why not.
 */
const struct control_site *site_page_map(int fd);

#endif
