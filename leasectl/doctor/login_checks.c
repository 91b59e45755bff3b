/* SPDX-License-Identifier: ISC */
/* Is each tunnel login safe, as an account? */
#include "leasectl/doctor/checks.h"
#include "leasectl/host/account.h"

#include <grp.h>

static int check_member(void *arg, const char *login)
{
    check_login_account(arg, login);
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
