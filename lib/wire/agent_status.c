/* SPDX-License-Identifier: ISC */
#include "lib/wire/agent_status.h"

#include "lib/base/buf.h"
#include "lib/lease/time_text.h"
#include "lib/wire/document.h"

#include <jansson.h>

static json_t *forward(const struct agent_status_forward *f)
{
    return json_pack("{s:s,s:o,s:o,s:b,s:o}", "direction", f->direction, "listen",
                     document_any_text(f->listen), "to", document_any_text(f->to), "open", f->open,
                     "holder", document_text_or_null(f->holder));
}

int agent_status_json(const struct agent_status *s, struct buf *out)
{
    char since[TIME_TEXT_BYTES];
    json_t *forwards = json_array();
    for (size_t i = 0; i < s->forward_count; i++)
        (void)json_array_append_new(forwards, forward(&s->forwards[i]));
    time_format_rfc3339(s->since_s, since);
    json_t *object = json_pack(
        "{s:s,s:o,s:I,s:s,s:s,s:o,s:I,s:o,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:b}", "name", s->name, "to",
        document_any_text(s->to), "pid", (json_int_t)s->pid, "state", s->state, "since", since,
        "reason", document_text_or_null(s->reason), "restarts", (json_int_t)s->restarts, "probe_ms",
        s->probe_ms >= 0 ? json_integer(s->probe_ms) : json_null(), "service", s->service,
        "service_detail", document_text_or_null(s->service_detail), "forwards", forwards,
        "agent_id", document_text_or_null(s->agent_id), "port_b",
        s->port_b > 0 ? json_integer(s->port_b) : json_null(), "lease_expires_at",
        document_text_or_null(s->lease_expires_at), "connect_hint",
        document_text_or_null(s->connect_hint), "copied", s->is_copied);
    return document_write(object, JSON_COMPACT, out);
}
