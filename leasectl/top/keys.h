/* SPDX-License-Identifier: ISC */
/* The keys of a terminal, as bytes come from it: plain ones, and the sequences of the arrows and
 * the like (ECMA-48, as xterm, tmux, screen and the Linux console send them). Pure. */
#ifndef TUNLEASE_LEASECTL_TOP_KEYS_H
#define TUNLEASE_LEASECTL_TOP_KEYS_H

#include <stddef.h>

/* Others are the byte itself. */
enum key {
    KEY_OTHER = 256, /* a key that means nothing here */
    KEY_UP,
    KEY_DOWN,
    KEY_PAGE_UP,
    KEY_PAGE_DOWN,
    KEY_HOME,
    KEY_END,
    KEY_BACK_TAB,
    KEY_ESCAPE,
};

/* Takes one key off the len bytes at s, which must be at least 1, and sets *ret_used to its length.
 * A sequence that is cut off at the end counts as a whole one. */
int key_next(const char *s, size_t len, size_t *ret_used);

#endif
