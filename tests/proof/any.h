/* SPDX-License-Identifier: ISC */
/*
 * What the drivers here have in common: bytes that may be anything, for Frama-C's Eva.
 *
 * A text of up to SHORT_BYTES has exactly as much memory as it is long, in a call of its own for
 * each length: a byte read behind it is an alarm. All longer ones are one call, of any length up to
 * ANY_BYTES, with memory for the longest: there a byte read behind the longest is one. With PLANTED
 * a driver says that a text is longer than it is, or leaves out its NUL, and Eva has to find that.
 */
#ifndef TUNLEASE_PROOF_ANY_H
#define TUNLEASE_PROOF_ANY_H

#include <__fc_builtin.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
#ifdef ANY
    ANY_BYTES = ANY,
#else
    ANY_BYTES = 4096, /* the longest text */
#endif
#ifndef SHORT
#define SHORT 16
#endif
    SHORT_BYTES = SHORT,
    BEFORE_BYTES = 16,         /* for what a driver puts before a text */
    LENGTHS = SHORT_BYTES + 2, /* the short ones, and all longer ones together */
#ifdef PLANTED
    LIE = 1,
#else
    LIE = 0,
#endif
};

static char any_room[BEFORE_BYTES + ANY_BYTES + 1];

#define any_byte() ((char)Frama_C_interval(CHAR_MIN, CHAR_MAX))
#define any_of(low, high) ((char)Frama_C_interval(low, high))
#define any_bool() ((bool)Frama_C_interval(0, 1))
#define any_size(low, high) ((size_t)Frama_C_unsigned_long_interval(low, high))
#define any_number(low, high) Frama_C_long_interval(low, high)

/* The i-th length of LENGTHS. */
static size_t any_length(size_t i)
{
    return i <= SHORT_BYTES ? i : any_size(SHORT_BYTES + 1, ANY_BYTES);
}

/* Bytes that end where the memory ends. */
static char *any_bytes(size_t i)
{
    Frama_C_make_unknown(any_room, sizeof(any_room));
    return any_room + sizeof(any_room) - (i <= SHORT_BYTES ? i : ANY_BYTES);
}

/* A text that ends with a NUL where the memory ends, if not before. */
static char *any_text(size_t i)
{
    Frama_C_make_unknown(any_room, sizeof(any_room));
    if (!LIE)
        any_room[BEFORE_BYTES + ANY_BYTES] = '\0';
    return any_room + BEFORE_BYTES + ANY_BYTES - (i <= SHORT_BYTES ? i : ANY_BYTES);
}

/* Both answers have to be reached, or the proof is one of nothing. */
#define reached(what) Frama_C_show_each_##what()

#endif
