/* SPDX-License-Identifier: ISC */
/*
 * How a table fits into the columns of a terminal. What is too wide loses its empty columns; then
 * cells are wrapped between words; then within words; and where not even that is readable, each row
 * becomes a block with a line for each cell. Pure.
 */
#ifndef TUNLEASE_BASE_LAYOUT_H
#define TUNLEASE_BASE_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

enum { TABLE_COLUMNS_MAX = 16, LAYOUT_GAP = 2 };

struct layout_column {
    size_t widest;  /* of its cells and its heading */
    size_t longest; /* the longest word in them */
    size_t heading; /* of its heading */
    bool empty;     /* all of its cells are */
    bool shown;     /* out */
    size_t most;    /* what it is given at most */
    size_t width;   /* out */
};

struct layout {
    struct layout_column columns[TABLE_COLUMNS_MAX];
    size_t column_count;
    bool has_cells;
    bool blocks;        /* out: a block for each row, with these widths */
    size_t label_width; /* out: of the headings with the gap; 0: each stands on a line of its own */
    size_t value_width; /* out */
};

void layout_init(struct layout *l, size_t column_count);
void layout_add_cell(struct layout *l, size_t column, const char *text, bool heading);

/* After all cells were added: sets what is marked out. */
void layout_fit(struct layout *l, size_t terminal_columns);

#endif
