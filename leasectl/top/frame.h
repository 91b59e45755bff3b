/* SPDX-License-Identifier: ISC */
/* A screen full of text, and its way to a terminal: only lines that differ from what is there are
 * written. */
#ifndef TUNLEASE_LEASECTL_TOP_FRAME_H
#define TUNLEASE_LEASECTL_TOP_FRAME_H

#include "lib/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

enum frame_look { FRAME_PLAIN, FRAME_BOLD, FRAME_MARKED /* reversed */ };

enum { FRAME_ROWS_MAX = 1000, FRAME_COLUMNS_MAX = 1000 };

struct frame_line {
    struct buf text; /* escaped, at most frame.columns wide */
    enum frame_look look;
};

struct frame {
    struct frame_line *lines; /* owned */
    size_t rows, columns;
};

/* 0, or -1: out of memory. Any text is gone. */
int frame_resize(struct frame *f, size_t rows, size_t columns);
void frame_clear(struct frame *f);
void frame_release(struct frame *f);

/*
 * Adds text to a line as a column of this width, and a blank if it is not the last one. text may be
 * anything: what could control the terminal is escaped, what is too long is cut and ends in '+'.
 */
enum frame_align { FRAME_LEFT, FRAME_RIGHT };
void frame_add_cell(struct buf *line, const char *text, size_t width, enum frame_align align);

/* Sets line `row`, cut to the width of the frame; does nothing for a row that there is not. */
void frame_set(struct frame *f, size_t row, enum frame_look look, const char *text);

/* Adds to out what makes a terminal that shows `shown` show `wanted`. is_new: it shows something
 * else. Both have one size. */
void frame_paint(const struct frame *shown, const struct frame *wanted, bool is_new,
                 struct buf *out);

#endif
