/* SPDX-License-Identifier: ISC */
/* What sshd itself asks of the account, before it looks at any key. */
#include "leasectl/admission/inquiry.h"
#include "leasectl/admission/shadow_age.h"
#include "leasectl/host/account.h"

#include <pwd.h>
#include <shadow.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXECUTABLE = S_IXUSR | S_IXGRP | S_IXOTH };

static void ask_shell(struct inquiry *i, const struct passwd *pw)
{
    struct stat st;
    const char *shell = pw->pw_shell[0] != '\0' ? pw->pw_shell : "/bin/sh";
    struct admission_findings *f = &i->answer->findings;
    if (stat(shell, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & EXECUTABLE) != 0)
        return;
    finding_add(f, ADMISSION_ACCOUNT, ADMISSION_REFUSES, "shell",
                "the shell of '%s' is '%s', which is no program", pw->pw_name, shell);
    finding_why(f, "sshd refuses an account whose shell does not exist, with any key");
    finding_mend(f, "usermod -s " NOLOGIN_SHELL " %s", pw->pw_name);
}

/* Without PAM sshd looks at shadow(5) itself: at the lock, and at the account's end, but not at the
 * password's age (docs/sshd-facts.md 11). */
static void ask_shadow_without_pam(struct inquiry *i)
{
    struct admission_findings *f = &i->answer->findings;
    enum shadow_age age = shadow_judge_expiry(i);
    if (age != SHADOW_GOOD)
        shadow_add_finding(i, age);
    const struct spwd *sp = getspnam(i->q->login);
    if (sp == NULL || sp->sp_pwdp[0] != '!')
        return;
    finding_add(f, ADMISSION_ACCOUNT, ADMISSION_REFUSES, "locked",
                "the password of '%s' is locked with '!', and sshd has UsePAM no", i->q->login);
    finding_why(f, "without PAM, sshd refuses every key of a locked account");
    finding_mend(f, "usermod -p '*' %s, and 'UsePAM yes' in %s/ssh/sshd_config", i->q->login,
                 TUNLEASE_SYSCONFDIR);
}

void ask_account(struct inquiry *i)
{
    struct admission_findings *f = &i->answer->findings;
    const char *login = i->q->login, *group = i->ctl->conf.tunnel_group;
    const struct passwd *pw = getpwnam(login);
    i->answer->asked[ADMISSION_ACCOUNT] = true;
    if (pw == NULL) {
        finding_add(f, ADMISSION_ACCOUNT, ADMISSION_REFUSES, "no_account",
                    "'%s' is no account on this host", login);
        finding_why(f, "sshd refuses it, and never asks akc");
        finding_mend(f, "leasectl login add %s", login);
        return;
    }
    ask_shell(i, pw);
    if (!account_in_group(login, group)) {
        finding_add(f, ADMISSION_ACCOUNT, ADMISSION_ENDANGERS, "group",
                    "'%s' is not in the group '%s' (TunnelGroup)", login, group);
        finding_why(f, "the Match block of the group does not hold for it, and pam_tunnel takes "
                       "it for a person");
        finding_mend(f, "leasectl login add %s", login);
    }
    if (i->settings.len > 0 && !i->uses_pam)
        ask_shadow_without_pam(i);
    else if (i->settings.len == 0 && geteuid() != 0)
        shadow_add_finding(i, SHADOW_UNREADABLE);
    shadow_add_dangers(i);
}
