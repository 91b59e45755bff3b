/* SPDX-License-Identifier: ISC */
/* The groups, users and tunnel logins that setup makes. */
#include "leasectl/host/account.h"
#include "leasectl/setup/say.h"
#include "leasectl/setup/steps.h"

#include <grp.h>
#include <pwd.h>

int step_group(struct ctl *ctl, const char *group, bool dry_run)
{
    struct buf why = {0};
    if (getgrnam(group) != NULL)
        return EXIT_DONE;
    setup_say(ctl, dry_run, "make group %s", group);
    if (!dry_run && account_make_group(group, &why) != 0)
        return setup_fail(ctl, EXIT_FAILED, &why);
    return EXIT_DONE;
}

int step_user(struct ctl *ctl, const char *user, bool dry_run)
{
    struct buf why = {0};
    if (getpwnam(user) != NULL)
        return EXIT_DONE;
    setup_say(ctl, dry_run, "make user %s", user);
    if (!dry_run && account_make_service_user(user, SETUP_SERVICE_USER, &why) != 0)
        return setup_fail(ctl, EXIT_FAILED, &why);
    return EXIT_DONE;
}

/* What stays after account_make_login is no work for it: doctor, which runs at the end, says it. */
static void note_work(void *ctx, enum account_problem problem, const char *what, const char *mend)
{
    bool *has_work = ctx;
    (void)what;
    (void)mend;
    if (problem != ACCOUNT_BY_HAND)
        *has_work = true;
}

int step_login(struct ctl *ctl, const char *login, bool dry_run)
{
    struct buf why = {0};
    if (getpwnam(login) != NULL) {
        bool has_work = account_home_is_former(login);
        account_problems(login, ctl->conf.tunnel_group, note_work, &has_work);
        if (!has_work)
            return EXIT_DONE;
    }
    setup_say(ctl, dry_run, "make tunnel login %s", login);
    if (!dry_run && account_make_login(login, ctl->conf.tunnel_group, &why) != 0)
        return setup_fail(ctl, EXIT_CONFLICT, &why);
    return EXIT_DONE;
}
