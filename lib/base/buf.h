/* SPDX-License-Identifier: ISC */
/* A text buffer that grows: add all pieces, then check once whether memory sufficed. */
#ifndef TUNLEASE_BASE_BUF_H
#define TUNLEASE_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * A zero-initialised buffer is empty and valid. data is owned, and ends with a NUL once anything
 * was added. A failed allocation sets failed, and every later buf_add* does nothing; so a caller
 * may add a hundred pieces and check failed once, before it uses data.
 */
struct buf {
    char *data;
    size_t len;
    size_t cap;
    bool failed;
};

void buf_release(struct buf *b);
void buf_clear(struct buf *b); /* empties it and resets failed; the memory stays allocated */
void buf_add(struct buf *b, const char *s);
void buf_add_mem(struct buf *b, const void *mem, size_t len);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vaddf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/* The text, which b owns: "" for an empty buffer, NULL when an allocation failed. */
const char *buf_text(const struct buf *b);

/* The same, but other when an allocation failed: "out of memory" where a person reads it. */
const char *buf_text_or(const struct buf *b, const char *other);

#endif
