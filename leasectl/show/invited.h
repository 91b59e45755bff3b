/* SPDX-License-Identifier: ISC */
/* What an admin hands on of an invite: the one line to run, and what to compare. */
#ifndef TUNLEASE_LEASECTL_SHOW_INVITED_H
#define TUNLEASE_LEASECTL_SHOW_INVITED_H

#include "leasectl/ctl.h"

struct invite;
struct pubkey;

/* Prints it, as text or as JSON. code is printed here, and nowhere else. EXIT_DONE; or EXIT_FAILED,
 * with the error printed. */
int invited_print(const struct ctl *ctl, const struct invite *i, const char *code,
                  const struct pubkey *host_key);

#endif
