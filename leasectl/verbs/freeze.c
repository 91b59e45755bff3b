/* SPDX-License-Identifier: ISC */
/* leasectl freeze, leasectl thaw: lets nobody in on one login or on all, until thawed. */
#include "leasectl/ctl_store.h"
#include "leasectl/host/account.h"
#include "leasectl/rehearsal/rehearsal.h"
#include "leasectl/sessions/enforce.h"
#include "leasectl/show/json.h"
#include "leasectl/verbs.h"
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
    if (ctl->json) { /* whatever comes of it, sessions are to be ended next */
        (void)show_json_object(ctl, fields, sizeof(fields) / sizeof(fields[0]));
    } else if (frozen) {
        time_format_local(since_s, since);
        (void)printf("%s: frozen since %s; nobody gets in until 'leasectl thaw%s%s'\n", what, since,
                     what == login ? " " : "", what == login ? login : "");
    } else {
        (void)printf("%s: not frozen\n", what);
    }
    return EXIT_DONE;
}

struct request {
    const char *login; /* a login, or all_logins */
    bool freeze;       /* else thaw */
};

static bool is_for_all(const struct request *req)
{
    return req->login == all_logins; /* "*" is no login that may be named */
}

static struct enforce_scope scope_of(const struct request *req)
{
    return (struct enforce_scope){.login = is_for_all(req) ? NULL : req->login};
}

/* In a rehearsal, shows what the freeze ends, while it is in the store. */
static int show_in_rehearsal(struct ctl *ctl, const struct request *req, bool already)
{
    const struct enforce_scope scope = scope_of(req);
    int code = rehearsal_note_freeze(ctl, req->login, already);
    return code == EXIT_DONE ? rehearsal_judge(ctl, &scope) : code;
}

static int change_in_store(struct ctl *ctl, const struct request *req)
{
    const struct store_actor by = ctl_actor(ctl);
    int code = EXIT_DONE;
    enum store_rc rc = store_begin(ctl->store);
    if (rc == STORE_OK)
        rc = req->freeze ? store_freeze(ctl->store, req->login, &by)
                         : store_thaw(ctl->store, req->login, &by);
    /* STORE_CONFLICT: frozen already; STORE_NONE: not frozen */
    if (rc == STORE_OK || rc == STORE_CONFLICT)
        code = show_in_rehearsal(ctl, req, rc == STORE_CONFLICT);
    if (rc == STORE_OK && code == EXIT_DONE)
        rc = rehearsal_commit(ctl);
    store_rollback(ctl->store);
    if (rc == STORE_BUSY || rc == STORE_FAIL)
        code = ctl_store_error(ctl, rc);
    else if (code == EXIT_DONE)
        ctl_changed(ctl, "%s: %s", is_for_all(req) ? "all tunnel logins" : req->login,
                    req->freeze ? "frozen" : "not frozen");
    return code;
}

static int change(struct ctl *ctl, void *req)
{
    int code = ctl_open_write(ctl);
    return code == EXIT_DONE ? change_in_store(ctl, req) : code;
}

static int check_login(struct ctl *ctl, const struct request *req)
{
    const char *problem = is_for_all(req) ? NULL : login_name_problem(req->login);
    if (problem != NULL)
        return ctl_error(ctl, EXIT_USAGE, "the login '%s' %s", text_clip(req->login).s, problem);
    if (!is_for_all(req) && req->freeze && !ctl->conf_is_partial &&
        !account_in_group(req->login, ctl->conf.tunnel_group))
        return ctl_error(ctl, EXIT_NO_SUCH, "'%s' is no tunnel login: see 'leasectl login list'",
                         req->login);
    return EXIT_DONE;
}

static int freeze_or_thaw(struct ctl *ctl, int argc, char **argv, bool freeze)
{
    static const struct option options[] = {REHEARSAL_OPTIONS, {NULL, 0, NULL, 0}};
    static const struct option none[] = {{NULL, 0, NULL, 0}};
    struct rehearsal_options rehearsal = {.dry_run = false};
    struct request req = {.login = all_logins, .freeze = freeze};
    bool go_on = true;
    int opt, code;
    while ((opt = ctl_option(ctl, argc, argv, freeze ? options : none)) != -1)
        if (!rehearsal_take_option(&rehearsal, opt))
            return EXIT_USAGE;
    if (argc - optind > 1)
        return ctl_usage(ctl, "give one LOGIN, or none for all");
    if (optind < argc)
        req.login = argv[optind];
    code = check_login(ctl, &req);
    if (code == EXIT_DONE && freeze)
        code = rehearse(ctl, &rehearsal, change, &req, &go_on);
    if (code != EXIT_DONE || !go_on)
        return code;
    code = change(ctl, &req);
    if (code == EXIT_DONE)
        code = print_state(ctl, req.login);
    if (code != EXIT_DONE || !freeze)
        return code;
    const struct enforce_scope scope = scope_of(&req);
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
