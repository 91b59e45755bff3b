/* SPDX-License-Identifier: ISC */
/* leasectl export: the active leases of a login as an authorized_keys file, the lines of akc. */
#include "leasectl/ctl_store.h"
#include "leasectl/host/account.h"
#include "leasectl/verbs.h"
#include "lib/base/array.h"
#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/lease/keyline.h"
#include "lib/lease/name.h"
#include "lib/lease/time_text.h"
#include "lib/store/freezes.h"
#include "lib/store/login.h"

#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct key_lines {
    struct key_line {
        char name[LEASE_NAME_BYTES];
        char *text; /* owned; with its newline */
    } * items;
    size_t count, cap;
};

struct export
{
    const struct ctl *ctl;
    const char *login;
};

static int add_line(void *ctx, const struct lease *l, const struct pubkey *key)
{
    struct key_lines *lines = ctx;
    struct buf text = {0};
    struct key_line *items =
        array_grow(lines->items, lines->count, &lines->cap, sizeof(*items), SIZE_MAX);
    if (items == NULL)
        return -1;
    lines->items = items;
    keyline_format(l, key, &text);
    if (buf_text(&text) == NULL) {
        buf_release(&text);
        return -1;
    }
    struct key_line *line = &items[lines->count++];
    (void)snprintf(line->name, sizeof(line->name), "%s", l->name);
    line->text = text.data;
    return 0;
}

/* By name, and the keys of one lease by their text: the same leases are the same bytes, whatever
 * their numbers are. */
static int compare(const void *a, const void *b)
{
    const struct key_line *x = a, *y = b;
    int by_name = strcmp(x->name, y->name);
    return by_name != 0 ? by_name : strcmp(x->text, y->text);
}

/* Then akc has no line for anybody. */
static int warn_frozen(void *arg, const char *frozen, int64_t since_s)
{
    const struct export *e = arg;
    char since[TIME_TEXT_BYTES];
    time_format_local(since_s, since);
    if (strcmp(frozen, "*") == 0 || strcmp(frozen, e->login) == 0)
        ctl_warn(e->ctl, "%s has been frozen since %s, and lets nobody in: 'leasectl thaw'",
                 e->login, since);
    return 0;
}

static enum store_rc read_lines(struct export *e, struct key_lines *lines)
{
    enum store_rc rc = store_login_keys(e->ctl->store, e->login, e->ctl->now_s, add_line, lines);
    return rc == STORE_OK ? store_freeze_list(e->ctl->store, warn_frozen, e) : rc;
}

int cmd_export(struct ctl *ctl, int argc, char **argv)
{
    static const struct option none[] = {{NULL, 0, NULL, 0}};
    struct key_lines lines = {0};
    uid_t uid;
    if (ctl_option(ctl, argc, argv, none) != -1)
        return EXIT_USAGE;
    if (argc - optind != 1)
        return ctl_usage(ctl, "export takes one LOGIN");
    if (ctl->json)
        return ctl_usage(ctl, "export prints authorized_keys lines: 'leasectl list --json' has the "
                              "leases as JSON");
    const char *login = argv[optind];
    const char *problem = login_name_problem(login);
    if (problem != NULL)
        return ctl_error(ctl, EXIT_USAGE, "the login '%s' %s", text_clip(login).s, problem);
    int code = ctl_open_read(ctl);
    if (code != EXIT_DONE)
        return code;
    struct export e = {.ctl = ctl, .login = login};
    enum store_rc rc = read_lines(&e, &lines);
    if (rc != STORE_OK)
        code = ctl_store_error(ctl, rc);
    else if (lines.count == 0 && !account_uid(login, &uid))
        code = ctl_error(ctl, EXIT_NO_SUCH, "there is no login '%s'", login);
    if (lines.count > 0)
        qsort(lines.items, lines.count, sizeof(*lines.items), compare);
    for (size_t i = 0; i < lines.count; i++) {
        if (code == EXIT_DONE)
            (void)fputs(lines.items[i].text, stdout);
        free(lines.items[i].text);
    }
    free(lines.items);
    return code;
}
