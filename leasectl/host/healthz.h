/* SPDX-License-Identifier: ISC */
/* Asks leased how it is: GET /healthz on a Listen of the configuration. */
#ifndef TUNLEASE_LEASECTL_HOST_HEALTHZ_H
#define TUNLEASE_LEASECTL_HOST_HEALTHZ_H

struct buf;
struct conf;
struct conf_listener;

enum healthz {
    HEALTHZ_WELL,
    HEALTHZ_UNWELL,    /* it says what is wrong */
    HEALTHZ_NO_ANSWER, /* nothing listens there, or what it says is no answer of leased */
};

/* The one that is asked: the first that is not for a proxy, else the first. */
const struct conf_listener *healthz_listener(const struct conf *conf);

/* says: what is wrong, as one line. Waits two seconds at most. */
enum healthz healthz_query(const struct conf *conf, struct buf *says);

#endif
