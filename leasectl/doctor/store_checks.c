/* SPDX-License-Identifier: ISC */
/* Is the store as it must be? */
#include "leasectl/ctl_store.h"
#include "leasectl/doctor/checks.h"
#include "lib/lease/time_text.h"
#include "lib/store/freezes.h"

#include <string.h>

static int report_freeze(void *arg, const char *login, int64_t since_s)
{
    char since[TIME_TEXT_BYTES];
    time_format_local(since_s, since);
    const bool all = strcmp(login, "*") == 0;
    doctor_report(arg, RESULT_WARN, "freeze", "%s frozen since %s",
                  all ? "all tunnel logins are" : login, since);
    doctor_why(arg, "nobody gets in until it is thawed");
    doctor_mend(arg, "leasectl thaw%s%s", all ? "" : " ", all ? "" : login);
    return 0;
}

void check_freezes(struct doctor_run *d)
{
    if (ctl_open_read(d->ctl) != EXIT_DONE) /* check_akc_run has reported it */
        return;
    (void)store_freeze_list(d->ctl->store, report_freeze, d);
    ctl_close(d->ctl);
}
