/* SPDX-License-Identifier: ISC */
/*
 * What somebody meant who wrote a permit in another form: all of ssh's -L, a URL, a list, the path
 * of a socket, an address without port. Pure.
 */
#ifndef TUNLEASE_LEASE_PERMIT_MEANT_H
#define TUNLEASE_LEASE_PERMIT_MEANT_H

#include "lib/lease/permit.h"

#include <stdbool.h>

/* Where the text stands. */
struct permit_place {
    enum permit_form form;
    bool listens;  /* a permit to bind, with ssh -R; else to open */
    bool as_typed; /* what a client types for ssh: only what ssh itself would not understand is of
                      another form, and one is asked for at a time */
    const char *before; /* what stands before a permit there: "--open ", "--open +", "AllowOpen " */
};

/*
 * For a text that is no permit there: appends what it is and what to write, as a predicate ("is a
 * URL: write --open 127.0.0.1:8009"), with the permit filled in where it is certain. False, with
 * nothing appended: its form is not known, or it is none of ours.
 */
bool permit_meant(const char *text, const struct permit_place *place, struct buf *out);

#endif
