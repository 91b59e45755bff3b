/* SPDX-License-Identifier: ISC */
/* Inside lib/wire: reads members of a JSON object that a peer wrote, within limits. A member that
 * is missing or null is "" or 0. */
#ifndef TUNLEASE_WIRE_FIELDS_H
#define TUNLEASE_WIRE_FIELDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* False: it has another type, is longer than size - 1 bytes, or contains a character that
 * text_char_is_control names. */
bool fields_text(const json_t *root, const char *name, char *out, size_t size);

/* False: it is no whole number of 0 to most. */
bool fields_number(const json_t *root, const char *name, int64_t most, int64_t *ret);
bool fields_port(const json_t *root, const char *name, uint16_t *ret);

#endif
