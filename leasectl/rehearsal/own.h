/* SPDX-License-Identifier: ISC */
/* Asks before the admin's own connection is ended. */
#ifndef TUNLEASE_LEASECTL_REHEARSAL_OWN_H
#define TUNLEASE_LEASECTL_REHEARSAL_OWN_H

#include "leasectl/rehearsal/forecast.h"

#include <stdbool.h>

/*
 * Asks on a terminal where the admin's connection would end. EXIT_DONE and *ret_go_on: nothing to
 * ask, or the admin said yes; from then on SIGHUP does not end this program. EXIT_FAILED, with the
 * error printed: the admin did not say yes, or there is no terminal.
 */
int own_ask(struct ctl *ctl, const struct forecast *f, bool *ret_go_on);

#endif
