/* SPDX-License-Identifier: ISC */
#include "lib/base/table.h"

#include "lib/base/layout.h"
#include "lib/base/array.h"
#include "lib/base/buf.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/base/wrap.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { COLUMNS_UNKNOWN = 80 };

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

static size_t terminal_columns(void)
{
    struct winsize size = {.ws_col = 0};
    const char *columns = getenv("COLUMNS");
    int64_t value;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    if (columns != NULL && number_parse(columns, strlen(columns), 1, UINT16_MAX, &value))
        return (size_t)value;
    return COLUMNS_UNKNOWN;
}

static void measure(const struct table *t, struct layout *l)
{
    for (size_t c = 0; c < t->column_count; c++)
        layout_add_cell(l, c, t->headings[c], true);
    for (size_t i = 0; i < t->cell_count; i++)
        layout_add_cell(l, i % t->column_count, t->cells[i], false);
}

/* Prints a row in as many lines as its longest cell needs. No line ends with blanks. */
static void print_row(const char *const *row, const struct layout *l)
{
    const char *rest[TABLE_COLUMNS_MAX];
    for (size_t c = 0; c < l->column_count; c++)
        rest[c] = l->columns[c].shown ? row[c] : "";
    for (bool more = true, first = true; more; first = false) {
        size_t column = 0, printed = 0, bytes;
        more = false;
        for (size_t c = 0; c < l->column_count; c++) {
            const char *line = wrap_next_line(&rest[c], l->columns[c].width, &bytes);
            if (line != NULL) {
                (void)printf("%*s%.*s", (int)(column - printed), "", (int)bytes, line);
                printed = column + wrap_width_of(line, bytes);
                more = more || rest[c][strspn(rest[c], " ")] != '\0';
            }
            column += l->columns[c].shown ? l->columns[c].width + LAYOUT_GAP : 0;
        }
        if (printed > 0 || first)
            (void)putchar('\n');
    }
}

/* A row as a block: each cell on lines of its own, behind its heading. */
static void print_block(const struct table *t, const char *const *row, const struct layout *l)
{
    size_t bytes;
    for (size_t c = 0; c < t->column_count; c++) {
        const char *rest = row[c], *heading = t->headings[c], *line;
        if (l->label_width == 0 && row[c][0] != '\0')
            (void)printf("%s\n", heading);
        while ((line = wrap_next_line(&rest, l->value_width, &bytes)) != NULL) {
            (void)printf("%-*s%.*s\n", (int)l->label_width, l->label_width > 0 ? heading : "",
                         (int)bytes, line);
            heading = "";
        }
    }
}

static void print_on_terminal(const struct table *t)
{
    struct layout l;
    layout_init(&l, t->column_count);
    measure(t, &l);
    layout_fit(&l, terminal_columns());
    if (!l.blocks)
        print_row(t->headings, &l);
    for (size_t i = 0; i < t->cell_count; i += t->column_count) {
        const char *const *row = (const char *const *)(t->cells + i);
        if (!l.blocks)
            print_row(row, &l);
        else if (i > 0)
            (void)putchar('\n');
        if (l.blocks)
            print_block(t, row, &l);
    }
}

int table_print(const struct table *t, bool terminal)
{
    if (t->failed)
        return -1;
    if (terminal) {
        print_on_terminal(t);
        return 0;
    }
    for (size_t i = 0; i < t->cell_count; i++)
        (void)printf("%s%c", t->cells[i], (i + 1) % t->column_count == 0 ? '\n' : '\t');
    return 0;
}

void table_release(struct table *t)
{
    for (size_t i = 0; i < t->cell_count; i++)
        free(t->cells[i]);
    free(t->cells);
    *t = (struct table){.headings = NULL};
}
