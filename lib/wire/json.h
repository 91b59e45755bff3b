/* SPDX-License-Identifier: ISC */
/*
 * The JSON that leasectl --json prints; field names never change (docs/schema/).
 * The only code that knows a JSON library.
 */
#ifndef TUNLEASE_WIRE_JSON_H
#define TUNLEASE_WIRE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct lease;

/* Adds one lease as docs/schema/lease.json shows it, on one line without a newline. sessions -1:
 * unknown, because nothing registers sessions here. 0, or -1 when memory ran out. */
int json_lease(const struct lease *l, int64_t now_s, int64_t sessions, const char *connect,
               struct buf *out);

/* A member of an object. Its value is texts, objects, object, a bool or a number in number, text,
 * or else null. */
struct json_field {
    const char *name;
    const char *text;
    const char *const *texts; /* an array, NULL-terminated */
    const char *objects;      /* an array of objects, as json_object_line wrote them, with commas */
    const char *object;       /* an object, as json_lease or json_object_line wrote it */
    bool is_number, is_bool, is_null;
    int64_t number;
};

/* Adds an object of count fields, on one line without a newline. 0, or -1 when memory ran out. */
int json_object_line(const struct json_field *fields, size_t count, struct buf *out);

#endif
