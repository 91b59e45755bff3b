/* SPDX-License-Identifier: ISC */
/*
 * Pauses before leased starts again after it ended by itself, in whatever way: none at first, then
 * growing up to half a minute. systemd before 254 has only one pause for all restarts. The number
 * of starts that did not last is kept in the directory that systemd makes for leased and retains
 * until leased is stopped (RuntimeDirectory=, RuntimeDirectoryPreserve=restart); without such a
 * directory there are no pauses.
 */
#ifndef TUNLEASE_LEASED_ENGINE_PACE_H
#define TUNLEASE_LEASED_ENGINE_PACE_H

#include <stdbool.h>

enum { PACE_LASTED_MS = 60000, PACE_PAUSE_MAX_S = 29 /* RestartSec adds 1 s */ };

/* Called before anything else: waits, if a pause is due. False: told to stop meanwhile. */
bool pace_wait(void);

/* leased was ready for PACE_LASTED_MS, or ends because it is told to: the next start counts as the
 * first. */
void pace_reset(void);

#endif
