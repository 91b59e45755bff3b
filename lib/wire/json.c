/* SPDX-License-Identifier: ISC */
#include "lib/wire/json.h"

#include "lib/base/buf.h"
#include "lib/lease/lease.h"
#include "lib/lease/time_text.h"
#include "lib/wire/document.h"

#include <jansson.h>

static json_t *time_or_null(int64_t time_s)
{
    char text[TIME_TEXT_BYTES];
    if (time_s == 0)
        return json_null();
    time_format_rfc3339(time_s, text);
    return json_string(text);
}

static json_t *permits(const struct permit_list *list)
{
    char text[PERMIT_TEXT_BYTES];
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++) {
        permit_format(&list->items[i], text);
        (void)json_array_append_new(array, json_string(text));
    }
    return array;
}

static json_t *open_agents(const struct lease *l)
{
    json_t *array = json_array();
    for (size_t i = 0; i < l->open_agent_count; i++)
        (void)json_array_append_new(array, json_string(l->open_agents[i]));
    return array;
}

static json_t *sources(const struct source_list *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++) {
        struct buf text = {0};
        const struct source_list one = {.items = {list->items[i]}, .count = 1};
        source_list_format(&one, &text);
        (void)json_array_append_new(array, json_string(buf_text(&text)));
        buf_release(&text);
    }
    return array;
}

static json_t *keys(const struct lease *l)
{
    json_t *array = json_array();
    for (size_t i = 0; i < l->key_count; i++) {
        const struct lease_key *k = &l->keys[i];
        (void)json_array_append_new(array, json_pack("{s:s,s:s,s:s,s:o}", "type", k->pub.type,
                                                     "fingerprint", k->pub.fingerprint, "comment",
                                                     k->pub.comment, "added_at",
                                                     time_or_null(k->added_s)));
    }
    return array;
}

int json_lease(const struct lease *l, int64_t now_s, int64_t sessions, const char *connect,
               struct buf *out)
{
    return document_write(
        json_pack("{s:I,s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:s,s:o,s:o,s:o,s:b,s:o,s:o,s:o,s:s}",
                  "id", (json_int_t)l->id, "name", l->name, "login", l->login, "state",
                  lease_state_name(lease_state_at(l, now_s)), "keys", keys(l), "open",
                  permits(&l->open), "open_agents", open_agents(l), "listen", permits(&l->listen),
                  "from", sources(&l->from), "max_sessions",
                  l->max_sessions != 0 ? json_integer(l->max_sessions) : json_null(), "note",
                  l->note, "created_at", time_or_null(l->created_s), "renewed_at",
                  time_or_null(l->renewed_s), "expires_at", time_or_null(l->expires_s), "fixed_end",
                  l->fixed_end, "revoked_at", time_or_null(l->revoked_s), "last_login_at",
                  time_or_null(l->last_login_s), "sessions",
                  sessions >= 0 ? json_integer(sessions) : json_null(), "connect", connect),
        JSON_COMPACT, out);
}

/* NULL: out of memory. */
static json_t *array_of_objects(const char *objects)
{
    struct buf text = {0};
    buf_addf(&text, "[%s]", objects);
    json_t *array = buf_text(&text) != NULL ? json_loads(buf_text(&text), 0, NULL) : NULL;
    buf_release(&text);
    return array;
}

int json_object_line(const struct json_field *fields, size_t count, struct buf *out)
{
    json_t *object = json_object();
    for (size_t i = 0; i < count; i++) {
        const struct json_field *f = &fields[i];
        json_t *value = json_null();
        if (f->texts != NULL) {
            value = json_array();
            for (const char *const *t = f->texts; *t != NULL; t++)
                (void)json_array_append_new(value, document_any_text(*t));
        } else if (f->objects != NULL) {
            value = array_of_objects(f->objects);
        } else if (f->object != NULL) {
            value = json_loads(f->object, JSON_REJECT_DUPLICATES, NULL);
        } else if (f->is_bool) {
            value = json_boolean(f->number != 0);
        } else if (f->is_number) {
            value = json_integer(f->number);
        } else if (f->text != NULL) {
            value = document_any_text(f->text);
        }
        (void)json_object_set_new(object, f->name, value);
    }
    return document_write(object, JSON_COMPACT, out);
}
