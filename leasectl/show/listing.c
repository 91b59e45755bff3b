/* SPDX-License-Identifier: ISC */
#include "leasectl/show/listing.h"

#include "leasectl/show/json.h"
#include "leasectl/show/table.h"

void listing_begin(struct listing *l, const struct ctl *ctl, const char *const headings[])
{
    *l = (struct listing){.ctl = ctl};
    table_init(&l->table, headings);
}

int listing_add_object(struct listing *l, const struct json_field *fields, size_t count)
{
    if (l->json.len > 0)
        buf_add(&l->json, ",\n");
    int rc = json_object_line(fields, count, &l->json);
    l->json.failed = l->json.failed || rc != 0;
    return rc;
}

int listing_end(struct listing *l, int code)
{
    if (code == EXIT_DONE)
        code = l->ctl->json ? show_json_array(l->ctl, &l->json) : table_show(l->ctl, &l->table);
    table_release(&l->table);
    buf_release(&l->json);
    return code;
}
