/* SPDX-License-Identifier: ISC */
#include "leasectl/admission/shadow_age.h"

#include <pwd.h>
#include <shadow.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { DAY_S = 86400, DAYS_FOR_EVER = 99999, DAYS_NEVER = -1 };

static long today(const struct inquiry *i)
{
    return (long)(i->ctl->now_s / DAY_S);
}

/* A day of shadow(5), counted from 1970, as a date. */
static const char *format_day(long day, char out[static 16])
{
    struct tm tm;
    time_t t = (time_t)day * DAY_S;
    if (gmtime_r(&t, &tm) == NULL || strftime(out, 16, "%Y-%m-%d", &tm) == 0)
        out[0] = '\0';
    return out;
}

enum shadow_age shadow_judge(const struct inquiry *i)
{
    const struct passwd *pw = getpwnam(i->q->login);
    if (pw == NULL || strcmp(pw->pw_passwd, "x") != 0)
        return SHADOW_GOOD;
    if (geteuid() != 0)
        return SHADOW_UNREADABLE;
    const struct spwd *sp = getspnam(i->q->login);
    const long now = today(i);
    if (sp == NULL)
        return SHADOW_MISSING;
    if (sp->sp_expire != DAYS_NEVER && now >= sp->sp_expire)
        return SHADOW_EXPIRED;
    if (sp->sp_lstchg == 0)
        return SHADOW_PASSWORD_DUE;
    if (sp->sp_max == DAYS_NEVER || now < sp->sp_lstchg)
        return SHADOW_GOOD;
    const long age = now - sp->sp_lstchg;
    if (sp->sp_inact != DAYS_NEVER && age > sp->sp_max && age > sp->sp_inact &&
        age > sp->sp_max + sp->sp_inact)
        return SHADOW_PASSWORD_EXPIRED;
    return age > sp->sp_max ? SHADOW_PASSWORD_DUE : SHADOW_GOOD;
}

enum shadow_age shadow_judge_expiry(const struct inquiry *i)
{
    if (geteuid() != 0)
        return SHADOW_UNREADABLE;
    const struct spwd *sp = getspnam(i->q->login);
    bool is_over = sp != NULL && sp->sp_expire != DAYS_NEVER && today(i) > sp->sp_expire;
    return is_over ? SHADOW_EXPIRED : SHADOW_GOOD;
}

void shadow_add_finding(const struct inquiry *i, enum shadow_age age)
{
    struct admission_findings *f = &i->answer->findings;
    const char *login = i->q->login;
    const struct spwd *sp;
    char date[16];
    switch (age) {
    case SHADOW_GOOD:
        break;
    case SHADOW_UNREADABLE:
        finding_add(f, ADMISSION_ACCOUNT, ADMISSION_NOT_ASKED, "shadow",
                    "whether the account '%s' has expired", login);
        finding_why(f, "only root reads the dates in shadow(5)");
        finding_mend(f, "ask as root: sudo leasectl");
        break;
    case SHADOW_MISSING:
        finding_add(f, ADMISSION_ACCOUNT, ADMISSION_REFUSES, "shadow",
                    "the account '%s' has no entry in shadow(5)", login);
        finding_why(f, "pam_unix then refuses it in every service");
        finding_mend(f, "pwconv");
        break;
    case SHADOW_EXPIRED:
        sp = getspnam(login);
        finding_add(f, ADMISSION_ACCOUNT, ADMISSION_REFUSES, "account_expired",
                    "the account '%s' expired on %s", login,
                    format_day(sp != NULL ? sp->sp_expire : 0, date));
        finding_why(f, "every key of it is refused; the end of a lease is kept by the lease");
        finding_mend(f, "chage -E -1 %s", login);
        break;
    case SHADOW_PASSWORD_DUE:
        finding_add(f, ADMISSION_ACCOUNT, ADMISSION_REFUSES, "password_due",
                    "the password of '%s' has to be changed", login);
        finding_why(f, "sshd lets its keys in and then forwards nothing, so a tunnel looks alive "
                       "and carries no data");
        finding_mend(f, "chage -d \"$(date +%%F)\" -M -1 -I -1 -E -1 %s", login);
        break;
    case SHADOW_PASSWORD_EXPIRED:
        finding_add(f, ADMISSION_ACCOUNT, ADMISSION_REFUSES, "password_expired",
                    "the password of '%s' has expired", login);
        finding_why(f, "PAM then refuses every key of it");
        finding_mend(f, "chage -d \"$(date +%%F)\" -M -1 -I -1 -E -1 %s", login);
        break;
    }
}

void shadow_add_dangers(const struct inquiry *i)
{
    struct admission_findings *f = &i->answer->findings;
    const char *login = i->q->login;
    char date[16];
    const struct spwd *sp = geteuid() == 0 ? getspnam(login) : NULL;
    if (sp == NULL || shadow_judge(i) != SHADOW_GOOD)
        return;
    if (sp->sp_expire > 0) {
        finding_add(f, ADMISSION_ACCOUNT, ADMISSION_ENDANGERS, "account_expires",
                    "the account '%s' expires on %s", login, format_day(sp->sp_expire, date));
        finding_why(f, "every key of it is refused from then on, whatever the leases say");
        finding_mend(f, "chage -E -1 %s", login);
    }
    if (sp->sp_max >= 0 && sp->sp_max < DAYS_FOR_EVER) {
        finding_add(f, ADMISSION_ACCOUNT, ADMISSION_ENDANGERS, "password_ages",
                    "the password of '%s' has to be changed after %s", login,
                    format_day(sp->sp_lstchg + sp->sp_max, date));
        finding_why(f, "sshd then lets its keys in and forwards nothing");
        finding_mend(f, "chage -M -1 -I -1 %s", login);
    }
}
