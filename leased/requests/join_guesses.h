/* SPDX-License-Identifier: ISC */
/*
 * Codes that were wrong: one audit row for each source and hour, with a count, and at most
 * JOIN_GUESS_ROWS an hour, so that who guesses cannot fill the store. An IPv6 /64 is one source.
 * Nothing here refuses anybody: a right code is never held up.
 */
#ifndef TUNLEASE_LEASED_REQUESTS_JOIN_GUESSES_H
#define TUNLEASE_LEASED_REQUESTS_JOIN_GUESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct records;

enum {
    JOIN_GUESS_ROWS = 60,
    JOIN_GUESSES_A_SOURCE = 10, /* in JOIN_GUESS_WINDOW_MS */
    JOIN_GUESSES_IN_ALL = 100,
    JOIN_GUESS_WINDOW_MS = 60000,
    JOIN_GUESS_ROW_MS = 3600000,
    JOIN_SOURCE_BYTES = 64,
};

struct join_guess_window {
    int64_t since_ms;
    unsigned count;
};

struct join_guess_source {
    char source[JOIN_SOURCE_BYTES]; /* an address, or an IPv6 network of 64 bits; "": others */
    int64_t since_ms, since_s;      /* of the first: by the monotonic clock, and for people */
    unsigned count;                 /* 0: not in use */
    struct join_guess_window window;
};

/* Zero-initialised: none. The last row is for all sources that have none of their own. */
struct join_guesses {
    struct join_guess_source rows[JOIN_GUESS_ROWS];
    struct join_guess_window all;
};

/* Counts one. False: it is one too many, of this source or in all, and is in no row. */
bool join_guesses_add(struct join_guesses *g, const char *address, int64_t now_ms, int64_t now_s);

/* Records those whose hour is over; all: the others as well, since leased ends. */
void join_guesses_flush(struct join_guesses *g, struct records *records, int64_t now_ms,
                        int64_t now_s, bool all);

#endif
