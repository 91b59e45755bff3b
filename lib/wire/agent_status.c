/* SPDX-License-Identifier: ISC */
#include "lib/wire/agent_status.h"

#include "lib/base/buf.h"
#include "lib/lease/duration.h"

#include <jansson.h>
#include <stdlib.h>

static json_t *text_or_null(const char *text)
{
    return text != NULL && text[0] != '\0' ? json_string(text) : json_null();
}

static json_t *forward(const struct agent_status_forward *f)
{
    return json_pack("{s:s,s:s,s:s,s:b,s:o}", "direction", f->direction, "listen", f->listen, "to",
                     f->to, "open", f->open, "holder", text_or_null(f->holder));
}

int agent_status_json(const struct agent_status *s, struct buf *out)
{
    char since[TIME_TEXT_BYTES];
    json_t *forwards = json_array();
    for (size_t i = 0; i < s->forward_count; i++)
        (void)json_array_append_new(forwards, forward(&s->forwards[i]));
    time_format_rfc3339(s->since_s, since);
    json_t *object =
        json_pack("{s:s,s:s,s:I,s:s,s:s,s:o,s:I,s:o,s:s,s:o,s:o,s:o,s:o,s:o,s:o}", "name", s->name,
                  "to", s->to, "pid", (json_int_t)s->pid, "state", s->state, "since", since,
                  "reason", text_or_null(s->reason), "restarts", (json_int_t)s->restarts,
                  "probe_ms", s->probe_ms >= 0 ? json_integer(s->probe_ms) : json_null(), "service",
                  s->service, "service_detail", text_or_null(s->service_detail), "forwards",
                  forwards, "agent_id", text_or_null(s->agent_id), "port_b",
                  s->port_b > 0 ? json_integer(s->port_b) : json_null(), "lease_expires_at",
                  text_or_null(s->lease_expires_at), "connect_hint", text_or_null(s->connect_hint));
    char *text = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    if (text == NULL)
        return -1;
    buf_add(out, text);
    free(text);
    return out->failed ? -1 : 0;
}
