/* SPDX-License-Identifier: ISC */
/* leasectl list: leases as a table. */
#include "leasectl/ctl_store.h"
#include "leasectl/show/lease.h"
#include "leasectl/show/table.h"
#include "leasectl/verbs.h"
#include "lib/base/buf.h"
#include "lib/lease/duration.h"
#include "lib/lease/time_text.h"
#include "lib/store/freezes.h"
#include "lib/store/leases.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char *const headings[] = {"ID",   "NAME",   "LOGIN", "STATE", "EXPIRES",
                                       "OPEN", "LISTEN", "FROM",  "NOTE",  NULL};

struct listing {
    struct ctl *ctl;
    struct table table;
    struct buf json;
    size_t count;
};

static void add_permits(struct table *t, void (*format)(const struct permit_list *, struct buf *),
                        const struct permit_list *list)
{
    struct buf text = {0};
    format(list, &text);
    table_add(t, buf_text_or(&text, "?"));
    buf_release(&text);
}

static void add_row(struct listing *list, const struct lease *l)
{
    char id[24], expires[TIME_TEXT_BYTES + 8], distance[DURATION_TEXT_BYTES];
    struct buf from = {0};

    (void)snprintf(id, sizeof(id), "%lld", (long long)l->id);
    if (list->ctl->terminal) {
        duration_format(l->expires_s - list->ctl->now_s, distance);
        (void)snprintf(expires, sizeof(expires),
                       l->expires_s > list->ctl->now_s ? "in %s" : "%s ago", distance);
    } else {
        time_format_rfc3339(l->expires_s, expires);
    }
    table_add(&list->table, id);
    table_add(&list->table, l->name);
    table_add(&list->table, l->login);
    table_add(&list->table, lease_state_name(lease_state_at(l, list->ctl->now_s)));
    table_add(&list->table, expires);
    add_permits(&list->table, permit_list_format, &l->open);
    add_permits(&list->table, permit_list_format, &l->listen);
    source_list_format(&l->from, &from);
    table_add(&list->table, buf_text_or(&from, "?"));
    buf_release(&from);
    table_add(&list->table, l->note);
}

static int add_lease(void *arg, const struct lease *l)
{
    struct listing *list = arg;
    if (!list->ctl->json) {
        add_row(list, l);
        return list->table.failed ? -1 : 0;
    }
    buf_clear(&list->json);
    if (lease_to_json(list->ctl, l, &list->json) != 0)
        return -1;
    (void)printf("%s%s", list->count++ > 0 ? ",\n" : "", buf_text(&list->json));
    return 0;
}

/* While a freeze is in force, the leases that were listed let nobody in: always say so. */
static int warn_frozen(void *arg, const char *login, int64_t since_s)
{
    const struct ctl *ctl = arg;
    char since[TIME_TEXT_BYTES];
    bool all = strcmp(login, "*") == 0;
    time_format_local(since_s, since);
    ctl_warn(ctl, "%s%s frozen since %s: 'leasectl thaw%s%s' lets holders in again",
             all ? "all tunnel logins have been" : login, all ? "" : " has been", since,
             all ? "" : " ", all ? "" : login);
    return 0;
}

int cmd_list(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {{"all", no_argument, NULL, 'a'},
                                            {"login", required_argument, NULL, 'l'},
                                            {"expiring", required_argument, NULL, 'e'},
                                            {NULL, 0, NULL, 0}};
    struct store_filter filter = {.now_s = ctl->now_s, .before_s = INT64_MAX};
    struct listing list = {.ctl = ctl};
    int64_t within_s;
    int opt;

    while ((opt = ctl_option(ctl, argc, argv, options)) != -1) {
        switch (opt) {
        case 'a':
            filter.all = true;
            break;
        case 'l':
            filter.login = optarg;
            break;
        case 'e':
            if (duration_parse(optarg, &within_s) != 0)
                return ctl_usage(ctl, "--expiring takes a duration like 48h or 7d");
            filter.before_s = ctl->now_s + within_s;
            break;
        default:
            return EXIT_USAGE;
        }
    }
    if (optind != argc)
        return ctl_usage(ctl, "list takes no name: 'leasectl show NAME' shows one");
    int code = ctl_open_read(ctl);
    if (code != EXIT_DONE)
        return code;
    table_init(&list.table, headings);
    if (ctl->json)
        (void)putchar('[');
    enum store_rc rc = store_lease_list(ctl->store, &filter, add_lease, &list);
    if (ctl->json)
        (void)puts("]");
    else if (rc == STORE_OK || list.table.failed)
        code = table_show(ctl, &list.table);
    if (rc == STORE_OK && !ctl->json && list.table.cell_count == 0 && ctl->terminal)
        (void)fputs("no leases; 'leasectl grant --help' says how to give one\n", stderr);
    if (rc == STORE_OK && !ctl->json)
        rc = store_freeze_list(ctl->store, warn_frozen, ctl);
    if (code == EXIT_DONE && rc != STORE_OK)
        code = ctl_store_error(ctl, rc);
    table_release(&list.table);
    buf_release(&list.json);
    return code;
}
