/* SPDX-License-Identifier: ISC */
/* Connections that a change should have ended, and that this version cannot end. */
#ifndef TUNLEASE_LEASECTL_LIVE_H
#define TUNLEASE_LEASECTL_LIVE_H

#include "leasectl/leasectl.h"

/* EXIT_DONE when no connection of login is up; else EXIT_STILL_UP, with their pids printed. */
int live_report(struct ctl *ctl, const char *login);

#endif
