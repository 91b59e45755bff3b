/* SPDX-License-Identifier: ISC */
/* Is each tunnel login safe, as an account and by the settings that sshd has in force for it? */
#include "leasectl/doctor/checks.h"
#include "leasectl/host/account.h"
#include "leasectl/host/matchblock.h"
#include "leasectl/host/sshd.h"
#include "leasectl/host/sshd_settings.h"
#include "lib/base/buf.h"

#include <grp.h>
#include <stdio.h>
#include <string.h>

/*
 * sshd -T prints the words of PermitOpen and PermitListen in an order of its own. So the words are
 * compared, not the line.
 */
static bool same_words(const char *want, const char *have)
{
    char word[PERMIT_TEXT_BYTES];
    size_t want_words = 0, have_words = 0;
    for (const char *p = want; *p != '\0'; p += strspn(p, " ")) {
        size_t len = strcspn(p, " ");
        if (len >= sizeof(word))
            return false;
        memcpy(word, p, len);
        word[len] = '\0';
        const char *hit = have;
        while ((hit = strstr(hit, word)) != NULL &&
               ((hit != have && hit[-1] != ' ') || (hit[len] != ' ' && hit[len] != '\0')))
            hit++;
        if (hit == NULL)
            return false;
        want_words++;
        p += len;
    }
    for (const char *p = have; *p != '\0'; p += strspn(p, " ")) {
        p += strcspn(p, " ");
        have_words++;
    }
    return want_words == have_words;
}

static const char not_in_force[] = "without it sshd may open more for a key than its lease says";

/* Compares what sshd has in force for this login with what the blocks set. */
static void check_effective(struct doctor_run *d, const char *login)
{
    char keyword[64], have[1024];
    struct buf expected = {0}, effective = {0};
    unsigned wrong = 0;

    if (sshd_effective(&d->sshd, login, &effective) != 0) {
        doctor_report(d, RESULT_FAIL, "sshd", "sshd -T fails for '%s': %s", login,
                      buf_text(&effective) != NULL ? buf_text(&effective) : "");
        doctor_why(d, "it cannot be told what sshd has in force for this login");
        doctor_mend(d, "'%s -t' says what sshd does not take", d->sshd.path);
        goto out;
    }
    matchblock_expected(&d->ctl->conf, d->ctl->conf_file, &d->dialect, login, &expected);
    for (const char *line = buf_text(&expected); line != NULL && *line != '\0';) {
        size_t len = strcspn(line, "\n"), word = strcspn(line, " ");
        char want[1024];
        (void)snprintf(keyword, sizeof(keyword), "%.*s", (int)word, line);
        (void)snprintf(want, sizeof(want), "%.*s", (int)(len - word - 1), line + word + 1);
        sshd_setting(&effective, keyword, have, sizeof(have));
        /* sshd -T prints no line for some keywords whose value is none. */
        bool absent_is_none = have[0] == '\0' && strcmp(want, "none") == 0;
        if (!absent_is_none && strcmp(want, have) != 0 && !same_words(want, have) &&
            !(strcmp(keyword, "unusedconnectiontimeout") == 0 && strcmp(have, "none") == 0)) {
            wrong++;
            if (d->no_dropin) { /* one line in place of one for each setting */
                doctor_report(d, RESULT_FAIL, "sshd",
                              "for '%s' the Match blocks are not in force ('%s' is not there, and "
                              "%s is '%s', not '%s')",
                              login, SSHD_DROPIN, keyword, have, want);
                doctor_why(d, "%s", not_in_force);
                doctor_mend(d, "leasectl setup");
                break;
            }
            doctor_report(d, RESULT_FAIL, "sshd", "for '%s' %s is '%s', not '%s'", login, keyword,
                          have, want);
            doctor_why(d, "%s", not_in_force);
            doctor_mend(d, "leasectl setup; if it stays, another Match block comes before ours");
        }
        line += len + (line[len] == '\n' ? 1 : 0);
    }
    if (wrong == 0)
        doctor_report(d, RESULT_OK, "sshd",
                      "for '%s' every setting of the Match blocks is in force", login);
    sshd_setting(&effective, "usepam", have, sizeof(have));
    if (strcmp(have, "yes") != 0) {
        doctor_report(d, RESULT_FAIL, "sshd", "UsePAM is not yes");
        doctor_why(d, "pam_tunnel is never asked, so live sessions are not registered and nothing "
                      "ends them, and a locked account ('!') refuses its keys");
        doctor_mend(d, "'UsePAM yes' in " TUNLEASE_SYSCONFDIR "/ssh/sshd_config, and reload sshd");
    }
out:
    buf_release(&expected);
    buf_release(&effective);
}

static int check_member(void *arg, const char *login)
{
    struct doctor_run *d = arg;
    check_login_account(d, login);
    if (d->has_dialect)
        check_effective(d, login);
    return 0;
}

static void check_membership(struct doctor_run *d, const char *keyword, const char *login)
{
    if (account_in_group(login, d->ctl->conf.tunnel_group))
        return;
    doctor_report(d, RESULT_FAIL, "login", "%s '%s' is not in the tunnel group", keyword, login);
    doctor_why(d, "it can have no leases, and sshd's Match blocks do not hold for it");
    doctor_mend(d, "leasectl login add %s", login);
}

void check_logins(struct doctor_run *d)
{
    const struct conf *conf = &d->ctl->conf;
    if (getgrnam(conf->tunnel_group) == NULL) {
        doctor_report(d, RESULT_FAIL, "login", "there is no group '%s' (TunnelGroup)",
                      conf->tunnel_group);
        doctor_why(d, "sshd's Match blocks hold for this group");
        doctor_mend(d, "leasectl setup");
    } else {
        (void)account_each(conf->tunnel_group, check_member, d);
    }
    check_membership(d, "ForwardLogin", conf->forward_login);
    check_membership(d, "AgentLogin", conf->agent_login);
}
