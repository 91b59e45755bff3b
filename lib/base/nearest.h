/* SPDX-License-Identifier: ISC */
/*
 * The word that somebody meant who typed one that does not exist: of those that do, the ones with
 * the fewest mistakes between (a letter more, less, another, or two exchanged), or that begin with
 * it. Pure.
 */
#ifndef TUNLEASE_BASE_NEAREST_H
#define TUNLEASE_BASE_NEAREST_H

#include <stddef.h>

struct buf;

enum {
    NEAREST_WORDS_MAX = 3,   /* more would be no answer */
    NEAREST_WORD_BYTES = 32, /* a longer word is near to none */
};

struct nearest {
    const char *typed;                    /* borrowed, as are the words */
    const char *words[NEAREST_WORDS_MAX]; /* all as near as the first */
    size_t count;
    unsigned mistakes; /* of each of them */
};

void nearest_init(struct nearest *n, const char *typed);

/* Keeps word if it is near, and none is nearer. A word may be offered twice. */
void nearest_offer(struct nearest *n, const char *word);

/* Appends " (did you mean 'a' or 'b'?)", with before in front of each word; nothing if no word is
 * near. */
void nearest_add_question(const struct nearest *n, const char *before, struct buf *out);

#endif
