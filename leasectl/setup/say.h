/* SPDX-License-Identifier: ISC */
/* What setup prints about its steps. */
#ifndef TUNLEASE_LEASECTL_SETUP_SAY_H
#define TUNLEASE_LEASECTL_SETUP_SAY_H

#include "leasectl/ctl.h"
#include "lib/base/buf.h"

#include <stdbool.h>

/* Prints what a step does, or with dry_run would do; nothing with --json. */
void setup_say(const struct ctl *ctl, bool dry_run, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Prints why as an error, and releases it; returns code. */
int setup_fail(const struct ctl *ctl, int code, struct buf *why);

#endif
