/* SPDX-License-Identifier: ISC */
/* Sessions as they were read of the registry, and what was met on the way. */
#ifndef TUNLEASE_SESSION_SESSION_LIST_H
#define TUNLEASE_SESSION_SESSION_LIST_H

#include "lib/session/registry_names.h"
#include "lib/session/session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The name of an entry whose session is dead, and what it was that had it. */
struct dead_entry {
    struct entry_id id;   /* first: entry_id_compare sorts by it */
    uint64_t start_ticks; /* 0: not looked at */
};

struct session_list {
    struct session *items; /* owned */
    size_t count;
    /* What was found when it was read, whatever was filtered out since. */
    size_t unseen;           /* so many of the sessions are SESSION_UNSEEN */
    int unseen_why;          /* of one of them */
    struct dead_entry *dead; /* owned; for registry_remove_dead and registry_remove_dead_locked */
    size_t dead_count;
};

/* Releases all that keep says no to. */
void session_list_filter(struct session_list *list,
                         bool (*wanted)(void *ctx, const struct session *s), void *ctx);
bool session_is_open(void *unused, const struct session *s); /* a filter */

void session_list_release(struct session_list *list);

#endif
