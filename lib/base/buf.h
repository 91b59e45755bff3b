/* SPDX-License-Identifier: ISC */
/* A growing text buffer: build the whole answer in memory, look once whether it worked. */
#ifndef TUNLEASE_BASE_BUF_H
#define TUNLEASE_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Zero-initialised is empty and valid. data is NUL-terminated once anything was added.
 * A failed allocation sets failed and keeps it: every later call does nothing, so that a
 * caller may add a hundred pieces and test failed before it uses data.
 */
struct buf {
    char *data;
    size_t len;
    size_t cap;
    bool failed;
};

void buf_release(struct buf *b);
void buf_clear(struct buf *b); /* empties, keeps the storage, forgets a failure */
void buf_add(struct buf *b, const char *s);
void buf_add_mem(struct buf *b, const void *mem, size_t len);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vaddf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/* The text, "" for an empty buffer, NULL when an allocation failed. Owned by b. */
const char *buf_text(const struct buf *b);

#endif
