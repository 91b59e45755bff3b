/* SPDX-License-Identifier: ISC */
#include "leased/requests/join_guesses.h"

#include "leased/watch/records.h"

#include <arpa/inet.h>
#include <bsd/string.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void name_source(const char *address, char out[static JOIN_SOURCE_BYTES])
{
    struct in6_addr v6;
    char network[INET6_ADDRSTRLEN];
    if (inet_pton(AF_INET6, address, &v6) != 1) { /* also an address with a zone: it is one */
        (void)strlcpy(out, address[0] != '\0' ? address : "unknown", JOIN_SOURCE_BYTES);
        return;
    }
    memset(v6.s6_addr + 8, 0, 8);
    (void)inet_ntop(AF_INET6, &v6, network, sizeof(network));
    (void)snprintf(out, JOIN_SOURCE_BYTES, "%s/64", network);
}

/* Counts one in the window. False: there were more than most. */
static bool has_room(struct join_guess_window *w, unsigned most, int64_t now_ms)
{
    if (w->count == 0 || now_ms - w->since_ms > JOIN_GUESS_WINDOW_MS)
        *w = (struct join_guess_window){.since_ms = now_ms};
    return ++w->count <= most;
}

/* The row of the source, or a free one, or that of the others. */
static struct join_guess_source *find_row(struct join_guesses *g, const char *source)
{
    struct join_guess_source *free_row = &g->rows[JOIN_GUESS_ROWS - 1];
    for (size_t i = JOIN_GUESS_ROWS - 1; i-- > 0;) {
        if (g->rows[i].count == 0)
            free_row = &g->rows[i];
        else if (strcmp(g->rows[i].source, source) == 0)
            return &g->rows[i];
    }
    return free_row;
}

bool join_guesses_add(struct join_guesses *g, const char *address, int64_t now_ms, int64_t now_s)
{
    char source[JOIN_SOURCE_BYTES];
    name_source(address, source);
    struct join_guess_source *row = find_row(g, source);
    const bool is_others = row == &g->rows[JOIN_GUESS_ROWS - 1];
    const bool room = has_room(&g->all, JOIN_GUESSES_IN_ALL, now_ms);
    if (row->count == 0 && !room)
        return false; /* it opens no row */
    if (row->count == 0) {
        *row = (struct join_guess_source){.since_ms = now_ms, .since_s = now_s};
        (void)strlcpy(row->source, is_others ? "" : source, sizeof(row->source));
    }
    if ((!is_others && !has_room(&row->window, JOIN_GUESSES_A_SOURCE, now_ms)) || !room)
        return false;
    row->count++;
    return true;
}

void join_guesses_flush(struct join_guesses *g, struct records *records, int64_t now_ms,
                        int64_t now_s, bool all)
{
    char detail[sizeof(((struct record *)NULL)->detail)];
    for (size_t i = 0; i < JOIN_GUESS_ROWS; i++) {
        struct join_guess_source *row = &g->rows[i];
        if (row->count == 0 || (!all && now_ms - row->since_ms < JOIN_GUESS_ROW_MS))
            continue;
        (void)snprintf(detail, sizeof(detail), "wrong_codes=%u since_s=%" PRId64 "%s", row->count,
                       row->since_s, row->source[0] == '\0' ? " other_sources=1" : "");
        records_add(records, RECORD_WRONG_CODES, 0, row->source, now_s, detail);
        row->count = 0;
    }
}
