/* SPDX-License-Identifier: ISC */
#include "lib/base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUF_FIRST_BYTES = 512 };

static bool make_room(struct buf *b, size_t more)
{
    if (b->failed)
        return false;
    if (more < b->cap - b->len) /* one byte is for the NUL */
        return true;
    size_t cap = b->cap != 0 ? b->cap : BUF_FIRST_BYTES;
    while (cap - b->len <= more) {
        if (cap > SIZE_MAX / 2)
            goto fail;
        cap *= 2;
    }
    char *data = realloc(b->data, cap);
    if (data == NULL)
        goto fail;
    b->data = data;
    b->cap = cap;
    return true;
fail:
    b->failed = true;
    return false;
}

void buf_release(struct buf *b)
{
    free(b->data);
    *b = (struct buf){0};
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->data != NULL)
        b->data[0] = '\0';
}

void buf_add_mem(struct buf *b, const void *mem, size_t len)
{
    if (!make_room(b, len))
        return;
    memcpy(b->data + b->len, mem, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void buf_add(struct buf *b, const char *s)
{
    buf_add_mem(b, s, strlen(s));
}

/* Formats a second time only if the first result did not fit. */
void buf_vaddf(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;
    if (b->failed)
        return;
    const size_t room = b->cap - b->len;
    va_copy(again, ap);
    int n = vsnprintf(room > 0 ? b->data + b->len : NULL, room, fmt, again);
    va_end(again);
    if (n < 0) {
        b->failed = true;
        return;
    }
    if ((size_t)n >= room) {
        if (!make_room(b, (size_t)n))
            return;
        vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
    }
    b->len += (size_t)n;
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_vaddf(b, fmt, ap);
    va_end(ap);
}

const char *buf_text(const struct buf *b)
{
    if (b->failed)
        return NULL;
    return b->data != NULL ? b->data : "";
}

const char *buf_text_or(const struct buf *b, const char *other)
{
    const char *text = buf_text(b);
    return text != NULL ? text : other;
}
