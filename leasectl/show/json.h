/* SPDX-License-Identifier: ISC */
/* Prints what --json asks for: a list, or one object. */
#ifndef TUNLEASE_LEASECTL_SHOW_JSON_H
#define TUNLEASE_LEASECTL_SHOW_JSON_H

#include "leasectl/ctl.h"

#include <stddef.h>

struct buf;
struct json_field;

/*
 * Prints an array. items: its objects, separated by commas; "" is an empty array. EXIT_DONE; or
 * EXIT_FAILED with the error printed, and no array, if memory ran out while items was made.
 */
int show_json_array(const struct ctl *ctl, const struct buf *items);

/* Prints the line that was made with the result rc, 0 or -1 when memory ran out, and releases it.
 * EXIT_DONE; or EXIT_FAILED with the error printed, and no line. */
int show_json_line(const struct ctl *ctl, int rc, struct buf *line);

/* Prints an object of count fields. EXIT_DONE; or EXIT_FAILED with the error printed, and no
 * object, if memory ran out. */
int show_json_object(const struct ctl *ctl, const struct json_field *fields, size_t count);

#endif
