/* SPDX-License-Identifier: ISC */
#include "lib/base/layout.h"

#include "lib/base/wrap.h"

/* Narrower than this, a column of broken words is worse to read than a block. */
enum { BROKEN_MIN = 12, VALUE_MIN = 8 };

static size_t min(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t max(size_t a, size_t b)
{
    return a > b ? a : b;
}

void layout_init(struct layout *l, size_t column_count)
{
    *l = (struct layout){.column_count = column_count};
    for (size_t c = 0; c < column_count; c++)
        l->columns[c] = (struct layout_column){.empty = true, .shown = true};
}

void layout_add_cell(struct layout *l, size_t column, const char *text, bool heading)
{
    struct layout_column *c = &l->columns[column];
    size_t width = wrap_width(text);
    c->widest = max(c->widest, width);
    if (width > c->longest)
        c->longest = max(c->longest, wrap_longest_word(text));
    if (heading)
        c->heading = width;
    l->has_cells = l->has_cells || !heading;
    c->empty = c->empty && (heading || width == 0);
}

/* Below its longest word a column breaks words. */
static size_t unbroken(const struct layout_column *c)
{
    return max(c->longest, c->heading);
}

/* The columns of the terminal that the table takes when no column is wider than cap, but each as
 * wide as it must be. Sets the widths. */
static size_t set_widths(struct layout *l, size_t cap, bool break_words)
{
    size_t total = 0;
    for (size_t i = 0; i < l->column_count; i++) {
        struct layout_column *c = &l->columns[i];
        size_t least = unbroken(c);
        c->most = break_words ? least : c->widest;
        if (break_words)
            least = min(least, max(c->heading, BROKEN_MIN));
        c->width = max(min(c->most, cap), least);
        if (c->shown)
            total += c->width + (total > 0 ? LAYOUT_GAP : 0);
    }
    return total;
}

/* Finds by halves the largest cap with which the table fits, and gives what is left to the columns
 * that the cap cut, from the left. False: it does not fit with any. */
static bool fit_columns(struct layout *l, size_t terminal_columns, bool break_words)
{
    size_t low = 0, high = terminal_columns + 1;
    if (set_widths(l, low, break_words) > terminal_columns)
        return false;
    while (high - low > 1) {
        size_t cap = low + (high - low) / 2;
        if (set_widths(l, cap, break_words) <= terminal_columns)
            low = cap;
        else
            high = cap;
    }
    size_t left = terminal_columns - set_widths(l, low, break_words);
    for (size_t i = 0; left > 0 && i < l->column_count; i++) {
        struct layout_column *c = &l->columns[i];
        if (c->shown && c->width < c->most) {
            c->width++;
            left--;
        }
    }
    return true;
}

static bool too_wide(const struct layout *l, size_t terminal_columns)
{
    size_t total = 0;
    for (size_t i = 0; i < l->column_count; i++)
        total += l->columns[i].widest + (i > 0 ? LAYOUT_GAP : 0);
    return total > terminal_columns;
}

void layout_fit(struct layout *l, size_t terminal_columns)
{
    for (size_t i = 0; l->has_cells && i < l->column_count; i++)
        l->columns[i].shown = !l->columns[i].empty || !too_wide(l, terminal_columns);
    if (fit_columns(l, terminal_columns, false) || fit_columns(l, terminal_columns, true))
        return;
    l->blocks = true;
    for (size_t i = 0; i < l->column_count; i++)
        l->label_width = max(l->label_width, l->columns[i].heading + LAYOUT_GAP);
    if (terminal_columns < l->label_width + VALUE_MIN)
        l->label_width = 0;
    l->value_width = terminal_columns - l->label_width;
}
