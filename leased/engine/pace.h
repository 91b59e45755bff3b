/* SPDX-License-Identifier: ISC */
/*
 * How soon leased starts again after it ended by itself: at once, then after growing pauses up to
 * half a minute, however it ended. systemd before 254 has one pause for all. How often it has not
 * lasted is kept in the directory that systemd gives it and leaves there until it is stopped
 * (RuntimeDirectory=, RuntimeDirectoryPreserve=restart); without one there are no pauses.
 */
#ifndef TUNLEASE_LEASED_ENGINE_PACE_H
#define TUNLEASE_LEASED_ENGINE_PACE_H

#include <stdbool.h>

enum { PACE_LASTED_MS = 60000, PACE_PAUSE_MAX_S = 29 /* and RestartSec */ };

/* Before anything else: the pause, if there is to be one. False: told to stop meanwhile. */
bool pace_wait(void);

/* It was ready for PACE_LASTED_MS, or ends because it is told to: the next start is the first. */
void pace_reset(void);

#endif
