/* SPDX-License-Identifier: ISC */
/* leasectl freeze, leasectl thaw: lets nobody in on one login or on all, until thawed. */
#include "leasectl/ctl_store.h"
#include "leasectl/host/account.h"
#include "leasectl/sessions/enforce.h"
#include "leasectl/verbs.h"
#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/lease/time_text.h"
#include "lib/store/freezes.h"
#include "lib/store/transaction.h"
#include "lib/wire/json.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char all_logins[] = "*";

/* Prints the state as it is now. To freeze or thaw twice is no error. */
static int print_state(struct ctl *ctl, const char *login)
{
    char since[TIME_TEXT_BYTES];
    struct buf json = {0};
    int64_t since_s = 0;
    enum store_rc rc = store_frozen_since(ctl->store, login, &since_s);
    if (rc != STORE_OK && rc != STORE_NONE)
        return ctl_store_error(ctl, rc);
    bool frozen = rc == STORE_OK;
    time_format_rfc3339(since_s, since);
    const struct json_field fields[] = {{.name = "login", .text = login},
                                        {.name = "frozen", .is_bool = true, .number = frozen},
                                        {.name = "since", .text = frozen ? since : NULL}};
    const char *what = strcmp(login, all_logins) == 0 ? "all tunnel logins" : login;
    if (ctl->json) {
        (void)json_object_line(fields, sizeof(fields) / sizeof(fields[0]), &json);
        (void)puts(buf_text(&json) != NULL ? buf_text(&json) : "");
    } else if (frozen) {
        time_format_local(since_s, since);
        (void)printf("%s: frozen since %s; nobody gets in until 'leasectl thaw%s%s'\n", what, since,
                     what == login ? " " : "", what == login ? login : "");
    } else {
        (void)printf("%s: not frozen\n", what);
    }
    buf_release(&json);
    return EXIT_DONE;
}

static int change_in_store(struct ctl *ctl, const char *login, bool freeze)
{
    const struct store_actor by = ctl_actor(ctl);
    enum store_rc rc = store_begin(ctl->store);
    if (rc == STORE_OK)
        rc = freeze ? store_freeze(ctl->store, login, &by) : store_thaw(ctl->store, login, &by);
    if (rc == STORE_OK)
        rc = store_commit(ctl->store);
    store_rollback(ctl->store);
    if (rc == STORE_BUSY || rc == STORE_FAIL)
        return ctl_store_error(ctl, rc);
    ctl_changed(ctl, "%s: %s", strcmp(login, all_logins) == 0 ? "all tunnel logins" : login,
                freeze ? "frozen" : "not frozen");
    return EXIT_DONE; /* STORE_CONFLICT: frozen already; STORE_NONE: not frozen */
}

static int freeze_or_thaw(struct ctl *ctl, int argc, char **argv, bool freeze)
{
    static const struct option none[] = {{NULL, 0, NULL, 0}};
    if (ctl_option(ctl, argc, argv, none) != -1)
        return EXIT_USAGE;
    if (argc - optind > 1)
        return ctl_usage(ctl, "give one LOGIN, or none for all");
    const char *login = optind < argc ? argv[optind] : all_logins;
    bool is_single = login != all_logins;
    const char *problem = is_single ? login_name_problem(login) : NULL;
    if (problem != NULL)
        return ctl_error(ctl, EXIT_USAGE, "the login '%s' %s", text_clip(login).s, problem);
    if (is_single && freeze && !ctl->conf_is_partial &&
        !account_in_group(login, ctl->conf.tunnel_group))
        return ctl_error(ctl, EXIT_NO_SUCH, "'%s' is no tunnel login: see 'leasectl login list'",
                         login);
    int code = ctl_open_write(ctl);
    if (code == EXIT_DONE)
        code = change_in_store(ctl, login, freeze);
    if (code == EXIT_DONE)
        code = print_state(ctl, login);
    if (code != EXIT_DONE || !freeze)
        return code;
    const struct enforce_scope scope = {.login = is_single ? login : NULL};
    return sessions_enforce(ctl, &scope);
}

int cmd_freeze(struct ctl *ctl, int argc, char **argv)
{
    return freeze_or_thaw(ctl, argc, argv, true);
}

int cmd_thaw(struct ctl *ctl, int argc, char **argv)
{
    return freeze_or_thaw(ctl, argc, argv, false);
}
