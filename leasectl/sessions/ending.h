/* SPDX-License-Identifier: ISC */
/* Ends sessions by the kill ladder, and checks that they are gone. */
#ifndef TUNLEASE_LEASECTL_SESSIONS_ENDING_H
#define TUNLEASE_LEASECTL_SESSIONS_ENDING_H

#include "leasectl/ctl.h"
#include "lib/session/registry.h"
#include "lib/session/session_list.h"

#include <stddef.h>
#include <stdint.h>

/* How long sessions may take to end; after that exit code 6 of leasectl(1). */
enum { SESSIONS_END_MS = 5000 };

/* How long a command may spend on removing the registry entries of dead sessions. */
enum { SESSIONS_CLEAR_MS = 1000 };

/*
 * Ends these sessions, whatever the store permits, and releases list. EXIT_DONE, or the exit code
 * with the error printed: EXIT_STILL_UP with the pids of those that are up after SESSIONS_END_MS.
 */
int sessions_end(struct ctl *ctl, struct session_list *list);

/* The same with the registry open, by a deadline of clock_monotonic_ms. Removes the registry
 * entries of those that are gone, and adds their number to *ended. Does not release list. */
int sessions_end_by(struct ctl *ctl, const struct registry *r, struct session_list *list,
                    int64_t deadline_ms, size_t *ended);

/* Prints how many sessions were ended in how many milliseconds, if any were. */
void sessions_report_ended(struct ctl *ctl, size_t ended, int64_t took_ms);

#endif
