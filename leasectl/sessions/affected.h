/* SPDX-License-Identifier: ISC */
/* Which live sessions a change of the store ends. After the change enforce.h ends them; before it,
 * a rehearsal (leasectl/rehearsal/rehearsal.h) shows them. */
#ifndef TUNLEASE_LEASECTL_SESSIONS_AFFECTED_H
#define TUNLEASE_LEASECTL_SESSIONS_AFFECTED_H

#include "leasectl/ctl.h"
#include "lib/session/session_list.h"
#include "lib/store/session_verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lease;

/* The sessions that a change can affect. */
struct enforce_scope {
    /* Those of this lease, with the keys it had before. If it listens, also those of other leases
     * that lose its port with the change (--open agent:NAME). NULL: of any. */
    const struct lease *lease;
    size_t lease_count;          /* so many in a row, from `lease` on; 0 is one */
    const char *login;           /* those of this login; NULL: of any */
    bool narrowed;               /* the change removed permits from a lease that stays active */
    int64_t begun_s;             /* with narrowed: a time before the change */
    const int64_t *narrowed_ids; /* with narrowed, where lease is NULL: from which leases */
    size_t narrowed_id_count;
};

/* This moment, as /proc counts the start of a process. */
uint64_t affected_now_ticks(void);

/* How many leases the scope names; 0: it is of any. */
size_t affected_lease_count(const struct enforce_scope *scope);

/* The lease whose sessions are to be read (registry_read); 0: all of them. */
int64_t affected_lease_id(const struct enforce_scope *scope);

/* Removes from list what the change cannot affect. */
void affected_filter(const struct enforce_scope *scope, struct session_list *list);

/* What affected_judge finds in a list of sessions that a change can affect. */
struct affected {
    struct session_list ending;     /* they may not stay */
    enum session_verdict *verdicts; /* why, for each of them */
    bool has_opening;               /* a login that may stay is still opening */
};

/*
 * Judges the sessions of list by ctl's store, which is open, as it is now. changed_ticks: by then
 * every reader sees the change. Leaves list empty. EXIT_DONE and *ret, to be released; or the exit
 * code with the error printed.
 */
int affected_judge(struct ctl *ctl, const struct enforce_scope *scope, uint64_t changed_ticks,
                   struct session_list *list, struct affected *ret);
void affected_release(struct affected *a);

#endif
