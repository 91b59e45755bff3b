/* SPDX-License-Identifier: ISC */
/* Ending sessions: they are asked to go, and seen to be gone. */
#ifndef TUNLEASE_LEASECTL_SESSIONS_ENDING_H
#define TUNLEASE_LEASECTL_SESSIONS_ENDING_H

#include "leasectl/ctl.h"
#include "lib/session/registry.h"
#include "lib/session/session_list.h"

#include <stddef.h>
#include <stdint.h>

/* How long the end of sessions may take: leasectl(1), exit code 6. */
enum { SESSIONS_END_MS = 5000 };

/* What clearing entries of the dead may take of a command's time. */
enum { SESSIONS_CLEAR_MS = 1000 };

/* Ends these sessions, whatever the store says; list is released. EXIT_DONE; or EXIT_STILL_UP with
 * the pids of what is up after 5 s. */
int sessions_end(struct ctl *ctl, struct session_list *list);

/* The same by a deadline of clock_monotonic_ms, with the registry open: those that are gone leave
 * the list, and the registry. Adds to *ended how many. */
int sessions_end_by(struct ctl *ctl, const struct registry *r, struct session_list *list,
                    int64_t deadline_ms, size_t *ended);

/* Says how many were ended in how many milliseconds, if any were. */
void sessions_report_ended(struct ctl *ctl, size_t ended, int64_t took_ms);

#endif
