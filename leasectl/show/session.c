/* SPDX-License-Identifier: ISC */
#include "leasectl/show/session.h"

#include <string.h>

void session_json_fields(const struct session *s, char since[static TIME_TEXT_BYTES],
                         struct json_field fields[static SESSION_JSON_FIELDS])
{
    time_format_rfc3339(s->since_s, since);
    const struct json_field common[SESSION_JSON_FIELDS] = {
        {.name = "lease", .text = s->lease},
        {.name = "lease_id", .is_number = true, .number = s->lease_id},
        {.name = "login", .text = s->login},
        {.name = "from", .text = s->source},
        {.name = "since", .text = since},
        {.name = "pid", .is_number = true, .number = s->pid},
        {.name = "fingerprint", .text = s->fingerprint},
        {.name = "seen", .is_bool = true, .number = s->sight == SESSION_LIVE}};
    memcpy(fields, common, sizeof(common));
}
