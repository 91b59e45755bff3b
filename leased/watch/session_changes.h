/* SPDX-License-Identifier: ISC */
/* Which sessions opened and which closed between two readings of the registry. */
#ifndef TUNLEASE_LEASED_WATCH_SESSION_CHANGES_H
#define TUNLEASE_LEASED_WATCH_SESSION_CHANGES_H

struct metrics;
struct records;
struct session_list;

/* Logs, counts and records the logins and tunnels that are only in one of the lists. Returns 0; or
 * -1, out of memory, and nothing was recorded. */
int session_changes_note(const struct session_list *before, const struct session_list *after,
                         struct records *records, struct metrics *metrics);

#endif
