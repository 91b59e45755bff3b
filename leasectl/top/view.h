/* SPDX-License-Identifier: ISC */
/* What the person at `leasectl top` has chosen to see: the order of both tables, the line that is
 * marked, what is asked. Pure. */
#ifndef TUNLEASE_LEASECTL_TOP_VIEW_H
#define TUNLEASE_LEASECTL_TOP_VIEW_H

#include "leasectl/top/model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum view_table { VIEW_SESSIONS, VIEW_LEASES, VIEW_TABLES };

enum view_order {
    ORDER_BYTES,    /* most first; of sessions */
    ORDER_RATE,     /* fastest first; of sessions */
    ORDER_NAME,     /* of the lease */
    ORDER_AGE,      /* newest session, or last login, first */
    ORDER_END,      /* soonest end of the lease first */
    ORDER_SESSIONS, /* most sessions first; of leases */
};

/* A line of a table: a session, one of its connections, or a lease. */
struct view_line {
    size_t item;                   /* of model.sessions or store.leases */
    const struct forward *forward; /* NULL: the session or the lease itself */
};

struct view_lines {
    struct view_line *items; /* owned; sorted */
    size_t count;
    size_t marked; /* the line that is; SIZE_MAX: there is none */
    size_t first;  /* the first that is on the screen */
};

struct view {
    enum view_table focus; /* the table that has the marked line */
    enum view_order orders[VIEW_TABLES];
    bool reversed[VIEW_TABLES];
    bool with_forwards; /* a line for each connection */
    bool help;
    struct view_lines lines[VIEW_TABLES];
    int64_t marked_id[VIEW_TABLES]; /* the pid or the number of what is marked; 0: the first */
    const char *message;            /* an answer or a question, not escaped; NULL: none */
    bool asks;                      /* the message is a question */
    int delay_ms;                   /* between two looks */
    bool batch;                     /* to a file: all lines, and no keys */
};

/* Sorts the lines of both tables anew. 0, or -1: out of memory. */
int view_sort(struct view *v, const struct model *m);

/* Moves the mark by so many lines; INT_MIN and INT_MAX are the ends of the table. */
void view_move(struct view *v, const struct model *m, int lines);

/* Keeps the marked line among the `rows` lines of the table that are on the screen. */
void view_scroll(struct view_lines *lines, size_t rows);

/* The next order that the table has, or this one. False: the table has no such order. */
void view_next_order(struct view *v);
bool view_set_order(struct view *v, enum view_order order);
const char *view_order_name(enum view_order order);

/* The session or the lease that is marked in the table that has the focus; NULL: there is none. */
const struct session *view_session(const struct view *v, const struct model *m);
const struct lease_brief *view_lease(const struct view *v, const struct model *m);

void view_release(struct view *v);

#endif
