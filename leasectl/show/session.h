/* SPDX-License-Identifier: ISC */
/* A live session as JSON: what each command that prints one says of it. */
#ifndef TUNLEASE_LEASECTL_SHOW_SESSION_H
#define TUNLEASE_LEASECTL_SHOW_SESSION_H

#include "lib/lease/time_text.h"
#include "lib/session/session_list.h"
#include "lib/wire/json.h"

enum { SESSION_JSON_FIELDS = 8 };

/* Sets the first SESSION_JSON_FIELDS of fields. since: room for the text of one of them; it must
 * live as long as they do. */
void session_json_fields(const struct session *s, char since[static TIME_TEXT_BYTES],
                         struct json_field fields[static SESSION_JSON_FIELDS]);

#endif
