/* SPDX-License-Identifier: ISC */
/* Asks leased how it is: GET /healthz on the first Listen of the configuration. */
#ifndef TUNLEASE_LEASECTL_HOST_HEALTHZ_H
#define TUNLEASE_LEASECTL_HOST_HEALTHZ_H

struct buf;
struct conf;

enum healthz {
    HEALTHZ_WELL,
    HEALTHZ_UNWELL,    /* it says what is wrong */
    HEALTHZ_NO_ANSWER, /* nothing listens there, or what it says is no answer of leased */
};

/* says: what is wrong, as one line. Waits two seconds at most. */
enum healthz healthz_query(const struct conf *conf, struct buf *says);

#endif
