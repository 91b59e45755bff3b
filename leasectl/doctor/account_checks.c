/* SPDX-License-Identifier: ISC */
/* Is a tunnel login, as an account, good for nothing but a leased tunnel? */
#include "leasectl/doctor/checks.h"
#include "leasectl/host/account.h"
#include "leasectl/host/account_rights.h"
#include "lib/base/buf.h"

struct login_check {
    struct doctor_run *d;
    const char *login;
};

static const char nothing_else[] = "a tunnel login must be good for nothing but a leased tunnel";

static void report_problem(void *ctx, enum account_problem problem, const char *what,
                           const char *mend)
{
    const struct login_check *check = ctx;
    if (problem == ACCOUNT_REFUSED && check->d->has_dialect) /* check_admission reports it */
        return;
    doctor_report(check->d, RESULT_FAIL, "login", "'%s': %s", check->login, what);
    doctor_why(check->d, "%s", nothing_else);
    doctor_mend(check->d, "%s", mend);
}

static void report_group(void *ctx, const char *group, bool primary)
{
    const struct login_check *check = ctx;
    doctor_report(check->d, RESULT_FAIL, "login", "'%s' is in the group '%s'", check->login, group);
    doctor_why(check->d, "%s, and members of this group can do what only root should",
               nothing_else);
    if (primary)
        doctor_mend(check->d, "usermod --gid %s %s", check->d->ctl->conf.tunnel_group,
                    check->login);
    else
        doctor_mend(check->d, "gpasswd -d %s %s", check->login, group);
}

void check_login_sudo(struct doctor_run *d, const char *login)
{
    const struct login_check only = {.d = d, .login = login}, *check = &only;
    struct buf says = {0};
    switch (account_may_sudo(check->login, &says)) {
    case SIGHT_IS:
        doctor_report(check->d, RESULT_FAIL, "login", "'%s' may run commands with sudo",
                      check->login);
        doctor_why(check->d, "%s", nothing_else);
        doctor_mend(check->d, "'sudo -l -U %s' shows them: take it out of those lines with visudo",
                    check->login);
        break;
    case SIGHT_CANNOT_TELL:
        doctor_report(check->d, RESULT_UNKNOWN, "login",
                      "whether '%s' may run commands with sudo was not asked: %s", check->login,
                      buf_text_or(&says, "out of memory"));
        doctor_why(check->d, "%s", nothing_else);
        doctor_mend(check->d, "sudo -l -U %s", check->login);
        break;
    case SIGHT_IS_NOT:
        break;
    }
    buf_release(&says);
}

static void note_home(struct doctor_run *d, const char *login)
{
    if (!account_home_is_missing(login))
        return;
    doctor_report(d, RESULT_NOTE, "login", "the home of '%s' does not exist", login);
    doctor_why(d, "who asks for a shell reads 'Could not chdir to home directory' before the "
                  "refusal");
    doctor_mend(d, "usermod --home " LOGIN_HOME " %s, while none of its sessions is up", login);
}

void check_login_account(struct doctor_run *d, const char *login)
{
    struct login_check check = {.d = d, .login = login};
    const unsigned before = d->findings;
    account_problems(login, d->ctl->conf.tunnel_group, report_problem, &check);
    account_strong_groups(login, report_group, &check);
    check_login_sudo(d, login);
    note_home(d, login);
    if (d->findings == before)
        doctor_report(d, RESULT_OK, "login", "'%s' is as it should be", login);
}
