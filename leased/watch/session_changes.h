/* SPDX-License-Identifier: ISC */
/* Which sessions came and which went between two looks at the registry. */
#ifndef TUNLEASE_LEASED_WATCH_SESSION_CHANGES_H
#define TUNLEASE_LEASED_WATCH_SESSION_CHANGES_H

struct metrics;
struct records;
struct session_list;

/* Logs, counts and records the logins and tunnels that are in one of the lists alone. 0; or -1,
 * without memory, and nothing was noted. */
int session_changes_note(const struct session_list *before, const struct session_list *after,
                         struct records *records, struct metrics *metrics);

#endif
