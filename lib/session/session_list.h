/* SPDX-License-Identifier: ISC */
/* Sessions as they were read from the registry, and what else the reader found there. */
#ifndef TUNLEASE_SESSION_SESSION_LIST_H
#define TUNLEASE_SESSION_SESSION_LIST_H

#include "lib/session/registry_names.h"
#include "lib/session/session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The entry of a dead session: its name, and the start of the process that it names. */
struct dead_entry {
    struct entry_id id;   /* first: entry_id_compare sorts by it */
    uint64_t start_ticks; /* 0: the entry was not opened */
};

struct session_list {
    struct session *items; /* owned */
    size_t count;
    /* Counted when the list was read; session_list_filter does not change these. */
    size_t unseen;           /* how many sessions are SESSION_UNSEEN */
    int unseen_why;          /* of one of them */
    struct dead_entry *dead; /* owned; for registry_remove_dead and registry_remove_dead_locked */
    size_t dead_count;
};

/* Removes the sessions for which wanted returns false. */
void session_list_filter(struct session_list *list,
                         bool (*wanted)(void *ctx, const struct session *s), void *ctx);
/* Copies the sessions, without the dead entries. 0, or -1 when memory ran out. */
int session_list_copy(const struct session_list *from, struct session_list *ret);
bool session_is_open(void *unused, const struct session *s); /* a filter */

void session_list_release(struct session_list *list);

#endif
