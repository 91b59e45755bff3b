/* SPDX-License-Identifier: ISC */
/*
 * Writes JSON member by member into a buffer. That takes a fraction of the time of building an
 * object first (docs/design.md 8.2). Texts may be any bytes: what is not UTF-8 becomes \xNN, and
 * what must not reach a terminal is escaped. When memory runs out the buffer says so (failed).
 *
 * A comma is added where one is needed; name NULL is for an item of an array.
 */
#ifndef TUNLEASE_WIRE_MEMBERS_H
#define TUNLEASE_WIRE_MEMBERS_H

#include <stdbool.h>
#include <stdint.h>

struct buf;

void members_text(struct buf *out, const char *name, const char *value);
void members_text_or_null(struct buf *out, const char *name, const char *value); /* "" is null */
void members_number(struct buf *out, const char *name, int64_t value);
void members_bool(struct buf *out, const char *name, bool value);
void members_null(struct buf *out, const char *name);
/* As RFC 3339; 0 is null. */
void members_time(struct buf *out, const char *name, int64_t time_s);

/* Begin and end an object ({ and }) or an array ([ and ]). */
void members_open(struct buf *out, const char *name, char bracket);
void members_close(struct buf *out, char bracket);

#endif
