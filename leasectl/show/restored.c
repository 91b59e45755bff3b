/* SPDX-License-Identifier: ISC */
#include "leasectl/show/restored.h"

#include "leasectl/show/json.h"
#include "leasectl/show/table.h"
#include "lib/base/array.h"
#include "lib/base/buf.h"
#include "lib/base/hex.h"
#include "lib/base/text.h"
#include "lib/wire/json.h"

#include <bsd/string.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *word, *meaning;
} kinds[RESTORED__MAX] = {
    [RESTORED_BACK] = {"back", "active again, as in the backup"},
    [RESTORED_GONE] = {"gone", "not active in the backup"},
    [RESTORED_KEPT_REVOKED] = {"stays-ended", "active in the backup, and ended since"},
    [RESTORED_NARROWED] = {"stays-narrowed", "does not get back what was taken from it since"},
    [RESTORED_TERMS] = {"terms", "opens what it opened when the backup was made"},
    [RESTORED_FROZEN] = {"frozen", "nobody is let in until 'leasectl thaw'"},
};

const char *restored_word(enum restored what)
{
    return kinds[what].word;
}

const char *restored_meaning(enum restored what)
{
    return kinds[what].meaning;
}

int restored_add(void *arg, enum restored what, int64_t id, const char *name, const char *login)
{
    struct restored_list *list = arg;
    struct restored_item *items =
        array_grow(list->items, list->count, &list->room, sizeof(*items), SIZE_MAX);
    if (items == NULL)
        return -1;
    list->items = items;
    struct restored_item *item = &items[list->count++];
    *item = (struct restored_item){.what = what, .id = id};
    (void)strlcpy(item->name, what != RESTORED_FROZEN ? name : "", sizeof(item->name));
    (void)strlcpy(item->login, login, sizeof(item->login));
    return 0;
}

void restored_release(struct restored_list *list)
{
    free(list->items);
    *list = (struct restored_list){.items = NULL};
}

static void print_summary(const struct restore_report *r)
{
    const struct store_contents *b = &r->backup;
    const struct restore_result *c = &r->result;
    text_print(stdout,
               "restored %s: %" PRId64 " lease%s, %" PRId64 " agent%s, audit up to #%" PRId64,
               r->file, b->grants, b->grants == 1 ? "" : "s", b->agents, b->agents == 1 ? "" : "s",
               b->audit.last_seq);
    if (r->old == OLD_STORE_MISSING)
        (void)puts("there was no store: what was revoked since the backup is not known");
    if (r->old == OLD_STORE_UNREADABLE)
        text_print(stdout,
                   "the store could not be read: what was revoked since the backup is active "
                   "again; it is kept as %s",
                   r->aside);
    if (c->kept_last != 0)
        (void)printf("audit rows #%" PRId64 " to #%" PRId64 " of the replaced store are kept\n",
                     c->kept_first, c->kept_last);
    if (c->lost_last != 0)
        (void)printf("audit rows #%" PRId64 " to #%" PRId64 " of the replaced store are lost: "
                     "they do not continue the backup's\n",
                     c->lost_first, c->lost_last);
}

static int print_table(const struct ctl *ctl, const struct restore_report *r)
{
    static const char *const headings[] = {"NOW", "LEASE", "ID", "LOGIN", "WHICH IS", NULL};
    struct table t;
    char id[24];
    int code = EXIT_DONE;
    table_init(&t, headings);
    for (size_t i = 0; i < r->list.count; i++) {
        const struct restored_item *item = &r->list.items[i];
        (void)snprintf(id, sizeof(id), "#%" PRId64, item->id);
        table_add(&t, kinds[item->what].word);
        table_add(&t, item->name);
        table_add(&t, item->what != RESTORED_FROZEN ? id : "");
        table_add(&t, item->login);
        table_add(&t, kinds[item->what].meaning);
    }
    if (r->list.count > 0)
        code = table_show(ctl, &t);
    table_release(&t);
    return code;
}

static void add_items(const struct restore_report *r, struct buf *out)
{
    for (size_t i = 0; i < r->list.count; i++) {
        const struct restored_item *item = &r->list.items[i];
        const struct json_field fields[] = {
            {.name = "what", .text = kinds[item->what].word},
            {.name = "id", .is_number = true, .number = item->id},
            {.name = "name", .text = item->name[0] != '\0' ? item->name : NULL},
            {.name = "login", .text = item->login}};
        buf_add(out, i > 0 ? "," : "");
        if (json_object_line(fields, sizeof(fields) / sizeof(fields[0]), out) != 0)
            out->failed = true;
    }
}

static void add_range(struct json_field fields[2], int64_t first, int64_t last)
{
    fields[0].is_number = fields[1].is_number = last != 0;
    fields[0].number = first;
    fields[1].number = last;
}

static int print_json(const struct ctl *ctl, const struct restore_report *r)
{
    static const char *const olds[] = {"read", "missing", "unreadable"};
    char head[2 * AUDIT_HASH_BYTES + 1], file[4 * CONF_PATH_BYTES];
    struct buf items = {0};
    (void)text_escape(file, sizeof(file), r->file);
    hex_encode(r->result.head, AUDIT_HASH_BYTES, head);
    add_items(r, &items);
    struct json_field fields[] = {
        {.name = "audit_kept_first"},
        {.name = "audit_kept_last"},
        {.name = "audit_lost_first"},
        {.name = "audit_lost_last"},
        {.name = "audit_last", .is_number = true, .number = r->result.seq},
        {.name = "audit_head", .text = head},
        {.name = "file", .text = file},
        {.name = "old_store", .text = olds[r->old]},
        {.name = "kept_as", .text = r->aside[0] != '\0' ? r->aside : NULL},
        {.name = "leases", .is_number = true, .number = r->backup.grants},
        {.name = "agents", .is_number = true, .number = r->backup.agents},
        {.name = "changes", .objects = buf_text(&items)}};
    add_range(&fields[0], r->result.kept_first, r->result.kept_last);
    add_range(&fields[2], r->result.lost_first, r->result.lost_last);
    int code = items.failed ? ctl_error(ctl, EXIT_FAILED, "out of memory")
                            : show_json_object(ctl, fields, sizeof(fields) / sizeof(fields[0]));
    buf_release(&items);
    return code;
}

int restored_print(struct ctl *ctl, const struct restore_report *r)
{
    if (ctl->json)
        return print_json(ctl, r);
    print_summary(r);
    return print_table(ctl, r);
}
