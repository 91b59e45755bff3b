/* SPDX-License-Identifier: ISC */
/* A table as the output of a command. */
#ifndef TUNLEASE_LEASECTL_SHOW_TABLE_H
#define TUNLEASE_LEASECTL_SHOW_TABLE_H

#include "leasectl/ctl.h"
#include "lib/base/table.h"

/* EXIT_DONE; or EXIT_FAILED with the error printed, and no table, if memory ran out. */
int table_show(const struct ctl *ctl, const struct table *t);

#endif
