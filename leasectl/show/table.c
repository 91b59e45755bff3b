/* SPDX-License-Identifier: ISC */
#include "leasectl/show/table.h"

#include "lib/base/array.h"
#include "lib/base/buf.h"
#include "lib/base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void table_init(struct table *t, const char *const headings[])
{
    *t = (struct table){.headings = headings};
    while (headings[t->column_count] != NULL)
        t->column_count++;
}

void table_add(struct table *t, const char *cell)
{
    struct buf escaped = {0};
    char **cells = array_grow(t->cells, t->cell_count, &t->cell_room, sizeof(*cells), SIZE_MAX);
    if (cells == NULL) {
        t->failed = true;
        return;
    }
    t->cells = cells;
    text_add_escaped(&escaped, cell);
    t->cells[t->cell_count] = buf_text(&escaped) != NULL ? strdup(buf_text(&escaped)) : NULL;
    if (t->cells[t->cell_count] == NULL)
        t->failed = true;
    else
        t->cell_count++;
    buf_release(&escaped);
}

/* Columns of a terminal: UTF-8 continuation bytes take none. (Wide characters count as one.) */
static size_t width(const char *s)
{
    size_t n = 0;
    for (; *s != '\0'; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

static void print_aligned(const char *const *row, const struct table *t, const size_t widths[])
{
    for (size_t c = 0; c < t->column_count; c++) {
        (void)fputs(row[c], stdout);
        if (c + 1 < t->column_count)
            (void)printf("%*s", (int)(widths[c] - width(row[c]) + 2), "");
    }
    (void)putchar('\n');
}

void table_print(const struct table *t, bool terminal)
{
    size_t widths[TABLE_COLUMNS_MAX] = {0};
    if (t->failed) {
        (void)fputs("leasectl: out of memory\n", stderr);
        return;
    }
    if (!terminal) {
        for (size_t i = 0; i < t->cell_count; i++)
            (void)printf("%s%c", t->cells[i], (i + 1) % t->column_count == 0 ? '\n' : '\t');
        return;
    }
    for (size_t c = 0; c < t->column_count; c++)
        widths[c] = width(t->headings[c]);
    for (size_t i = 0; i < t->cell_count; i++)
        if (width(t->cells[i]) > widths[i % t->column_count])
            widths[i % t->column_count] = width(t->cells[i]);
    print_aligned(t->headings, t, widths);
    for (size_t i = 0; i < t->cell_count; i += t->column_count)
        print_aligned((const char *const *)(t->cells + i), t, widths);
}

void table_release(struct table *t)
{
    for (size_t i = 0; i < t->cell_count; i++)
        free(t->cells[i]);
    free(t->cells);
    *t = (struct table){.headings = NULL};
}
