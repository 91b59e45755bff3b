/* SPDX-License-Identifier: ISC */
#include "leasectl/audit/list.h"

#include "leasectl/ctl_store.h"
#include "lib/base/buf.h"
#include "lib/base/hex.h"
#include "lib/base/table.h"
#include "lib/base/text.h"
#include "lib/lease/time_text.h"
#include "lib/wire/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const headings[] = {"SEQ", "AT",   "ACTION", "LEASE",  "ID", "OUTCOME",
                                       "BY",  "FROM", "KEY",    "DETAIL", NULL};

/* Rows are read in pieces, and a piece is printed when its snapshot is over: whoever reads our
 * output may wait for hours, and all the while the store's log would grow
 * (docs/sqlite-facts.md 1.7). */
enum { ROWS_AT_ONCE = 500 };

struct listing {
    struct ctl *ctl;
    struct table table; /* on a terminal */
    struct buf text;    /* else: the lines of a piece */
    size_t count;
    int64_t last_seq;
};

static void add_json(struct listing *list, const struct audit_record *r)
{
    char at[TIME_TEXT_BYTES], hash[2 * AUDIT_HASH_BYTES + 1] = "";
    time_format_rfc3339(r->time_s, at);
    if (r->hash != NULL)
        hex_encode(r->hash, AUDIT_HASH_BYTES, hash);
    const struct json_field fields[] = {
        {.name = "seq", .is_number = true, .number = r->seq},
        {.name = "at", .text = at},
        {.name = "actor", .text = r->actor},
        {.name = "action", .text = r->action},
        {.name = "lease", .text = r->lease[0] != '\0' ? r->lease : NULL},
        {.name = "lease_id", .is_number = r->lease_id != 0, .number = r->lease_id},
        {.name = "source", .text = r->source[0] != '\0' ? r->source : NULL},
        {.name = "outcome", .text = r->outcome},
        {.name = "fingerprint", .text = r->fingerprint[0] != '\0' ? r->fingerprint : NULL},
        {.name = "detail", .text = r->detail},
        {.name = "anchor_seq", .is_number = r->anchor_seq != 0, .number = r->anchor_seq},
        {.name = "hash", .text = r->hash != NULL ? hash : NULL}};
    buf_add(&list->text, list->count > 0 ? ",\n" : "");
    (void)json_object_line(fields, sizeof(fields) / sizeof(fields[0]), &list->text);
}

static void add_line(struct listing *list, const char *const cells[])
{
    for (size_t i = 0; i < list->table.column_count; i++) {
        buf_add(&list->text, i > 0 ? "\t" : "");
        text_add_escaped(&list->text, cells[i]);
    }
    buf_add(&list->text, "\n");
}

/* On a terminal without what is nearly always the same, or as long as a line. */
static void add_to_table(struct listing *list, const char *const cells[])
{
    for (size_t i = 0; i < list->table.column_count; i++) {
        bool is_plain = strcmp(headings[i], "OUTCOME") == 0 && strcmp(cells[i], "ok") == 0;
        table_add(&list->table, is_plain || strcmp(headings[i], "KEY") == 0 ? "" : cells[i]);
    }
}

static int add_record(void *arg, const struct audit_record *r)
{
    struct listing *list = arg;
    char seq[24], at[TIME_TEXT_BYTES], id[24] = "";
    if (list->ctl->json) {
        add_json(list, r);
    } else {
        if (list->ctl->terminal)
            time_format_local(r->time_s, at);
        else
            time_format_rfc3339(r->time_s, at);
        (void)snprintf(seq, sizeof(seq), "%" PRId64, r->seq);
        if (r->lease_id != 0)
            (void)snprintf(id, sizeof(id), "%" PRId64, r->lease_id);
        const char *const cells[] = {seq,        at,       r->action, r->lease,       id,
                                     r->outcome, r->actor, r->source, r->fingerprint, r->detail};
        if (list->ctl->terminal)
            add_to_table(list, cells);
        else
            add_line(list, cells);
    }
    list->count++;
    list->last_seq = r->seq;
    return list->text.failed || list->table.failed;
}

/* Prints a piece, and forgets it. False: memory ran out. */
static bool print_piece(struct listing *list)
{
    bool good = list->ctl->terminal && !list->ctl->json
                    ? list->table.cell_count == 0 || table_print(&list->table, true) == 0
                    : buf_text(&list->text) != NULL;
    if (good && list->text.len > 0)
        (void)fputs(buf_text(&list->text), stdout);
    table_release(&list->table);
    table_init(&list->table, headings);
    buf_clear(&list->text);
    return good;
}

int audit_list_show(struct ctl *ctl, const struct audit_filter *filter, size_t *ret_count)
{
    struct listing list = {.ctl = ctl, .last_seq = INT64_MIN};
    struct audit_filter piece = *filter;
    int code = EXIT_DONE;
    size_t before;
    table_init(&list.table, headings);
    if (ctl->json)
        (void)putchar('[');
    do {
        before = list.count;
        piece.after_seq = list.last_seq;
        piece.limit = ROWS_AT_ONCE;
        enum store_rc rc = audit_list(ctl->store, &piece, add_record, &list);
        if (rc != STORE_OK)
            code = ctl_store_error(ctl, rc);
        else if (!print_piece(&list))
            code = ctl_error(ctl, EXIT_FAILED, "out of memory");
        /* Who reads our output may have seen enough. */
    } while (code == EXIT_DONE && ferror(stdout) == 0 && list.count - before == ROWS_AT_ONCE);
    if (ctl->json)
        (void)puts(code == EXIT_DONE ? "]" : "");
    table_release(&list.table);
    buf_release(&list.text);
    *ret_count = list.count;
    return code;
}
