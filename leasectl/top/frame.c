/* SPDX-License-Identifier: ISC */
#include "leasectl/top/frame.h"

#include "lib/base/text.h"
#include "lib/base/wrap.h"

#include <stdlib.h>
#include <string.h>

int frame_resize(struct frame *f, size_t rows, size_t columns)
{
    struct frame_line *lines = calloc(rows + 1, sizeof(*lines));
    if (lines == NULL)
        return -1;
    frame_release(f);
    *f = (struct frame){.lines = lines, .rows = rows, .columns = columns};
    return 0;
}

void frame_clear(struct frame *f)
{
    for (size_t i = 0; i < f->rows; i++) {
        buf_clear(&f->lines[i].text);
        f->lines[i].look = FRAME_PLAIN;
    }
}

void frame_release(struct frame *f)
{
    for (size_t i = 0; i < f->rows; i++)
        buf_release(&f->lines[i].text);
    free(f->lines);
    *f = (struct frame){.lines = NULL};
}

/* The bytes of the escaped text at s that are at most width columns wide. *ret_width: how wide. */
static size_t fitting(const char *s, size_t width, size_t *ret_width)
{
    size_t at = 0, used = 0;
    while (s[at] != '\0') {
        size_t bytes = text_char_bytes(s + at);
        bytes = bytes > 0 ? bytes : 1;
        const size_t wide = wrap_width_of(s + at, bytes);
        if (used + wide > width)
            break;
        used += wide;
        at += bytes;
    }
    *ret_width = used;
    return at;
}

static void pad(struct buf *out, size_t blanks)
{
    for (; blanks > 0; blanks--)
        buf_add(out, " ");
}

/* Adds the escaped text, cut to the width. Returns how wide it is then. */
static size_t add_cut(struct buf *out, const char *text, size_t width)
{
    size_t used;
    const size_t bytes = fitting(text, width, &used);
    if (text[bytes] == '\0' || width == 0) {
        buf_add_mem(out, text, bytes);
        return used;
    }
    buf_add_mem(out, text, fitting(text, width - 1, &used));
    buf_add(out, "+");
    return used + 1;
}

void frame_add_cell(struct buf *line, const char *text, size_t width, enum frame_align align)
{
    struct buf escaped = {0};
    size_t used;
    text_add_escaped(&escaped, text);
    const char *shown = buf_text_or(&escaped, "?");
    (void)fitting(shown, width, &used);
    if (align == FRAME_RIGHT && used < width)
        pad(line, width - used);
    used = add_cut(line, shown, width);
    if (align == FRAME_LEFT && used < width)
        pad(line, width - used);
    pad(line, 1);
    buf_release(&escaped);
}

void frame_set(struct frame *f, size_t row, enum frame_look look, const char *text)
{
    if (row >= f->rows)
        return;
    struct frame_line *line = &f->lines[row];
    struct buf trimmed = {0};
    size_t len = strlen(text);
    while (len > 0 && text[len - 1] == ' ') /* the padding of a last column is nothing to cut */
        len--;
    buf_add_mem(&trimmed, text, len);
    buf_clear(&line->text);
    line->look = look;
    const size_t used = add_cut(&line->text, buf_text_or(&trimmed, ""), f->columns);
    buf_release(&trimmed);
    if (look == FRAME_MARKED && used < f->columns)
        pad(&line->text, f->columns - used);
}

static const char *line_text(const struct frame_line *l)
{
    return buf_text_or(&l->text, "");
}

void frame_paint(const struct frame *shown, const struct frame *wanted, bool is_new,
                 struct buf *out)
{
    static const char *const looks[] = {"", "\033[1m", "\033[7m"};
    if (is_new)
        buf_add(out, "\033[0m\033[2J");
    for (size_t i = 0; i < wanted->rows; i++) {
        const struct frame_line *l = &wanted->lines[i], *was = &shown->lines[i];
        if (is_new ? l->text.len == 0
                   : l->look == was->look && strcmp(line_text(l), line_text(was)) == 0)
            continue;
        /* Erased first: in the last column, erasing to the end takes a character away. */
        buf_addf(out, "\033[%zu;1H\033[K%s%s%s", i + 1, looks[l->look], line_text(l),
                 l->look != FRAME_PLAIN ? "\033[0m" : "");
    }
}
