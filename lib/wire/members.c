/* SPDX-License-Identifier: ISC */
#include "lib/wire/members.h"

#include "lib/base/buf.h"
#include "lib/lease/time_text.h"
#include "lib/wire/document.h"

#include <inttypes.h>

static void add_name(struct buf *out, const char *name)
{
    const char last = out->len > 0 ? out->data[out->len - 1] : '{';
    if (last != '{' && last != '[')
        buf_add(out, ",");
    if (name != NULL)
        buf_addf(out, "\"%s\":", name);
}

void members_text(struct buf *out, const char *name, const char *value)
{
    add_name(out, name);
    if (document_add_text(out, value) != 0 && !out->failed &&
        document_write(document_any_text(value), JSON_COMPACT | JSON_ENCODE_ANY, out) != 0)
        out->failed = true;
}

void members_text_or_null(struct buf *out, const char *name, const char *value)
{
    if (value[0] != '\0')
        members_text(out, name, value);
    else
        members_null(out, name);
}

void members_number(struct buf *out, const char *name, int64_t value)
{
    add_name(out, name);
    buf_addf(out, "%" PRId64, value);
}

void members_bool(struct buf *out, const char *name, bool value)
{
    add_name(out, name);
    buf_add(out, value ? "true" : "false");
}

void members_null(struct buf *out, const char *name)
{
    add_name(out, name);
    buf_add(out, "null");
}

void members_time(struct buf *out, const char *name, int64_t time_s)
{
    char text[TIME_TEXT_BYTES];
    if (time_s == 0) {
        members_null(out, name);
        return;
    }
    time_format_rfc3339(time_s, text);
    members_text(out, name, text);
}

void members_open(struct buf *out, const char *name, char bracket)
{
    add_name(out, name);
    buf_add_mem(out, &bracket, 1);
}

void members_close(struct buf *out, char bracket)
{
    buf_add_mem(out, &bracket, 1);
}
