/* SPDX-License-Identifier: ISC */
/* Prints the JSON of a list. */
#ifndef TUNLEASE_LEASECTL_SHOW_JSON_H
#define TUNLEASE_LEASECTL_SHOW_JSON_H

#include "leasectl/ctl.h"

struct buf;

/*
 * Prints an array. items: its objects, separated by commas; "" is an empty array. EXIT_DONE; or
 * EXIT_FAILED with the error printed, and no array, if memory ran out while items was made.
 */
int show_json_array(const struct ctl *ctl, const struct buf *items);

#endif
