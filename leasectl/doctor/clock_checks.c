/* SPDX-License-Identifier: ISC */
/* Is the clock right, by which leases end? */
#include "leasectl/ctl_store.h"
#include "leasectl/doctor/checks.h"
#include "lib/lease/time_text.h"
#include "lib/store/connection.h"
#include "lib/store/integrity.h"

#include <errno.h>
#include <string.h>
#include <sys/timex.h>

enum { CLOCK_BEHIND_S = 60 }; /* less is normal correction of the clock */

static const char set_clock[] = "timedatectl set-ntp true; or set it by hand: date -s";

/* True if the clock is behind what the store has seen, which is reported. */
static bool check_newest(struct doctor_run *d)
{
    char why[STORE_ERROR_BYTES], now[TIME_TEXT_BYTES], then[TIME_TEXT_BYTES];
    int64_t newest_s = 0;
    bool behind = false;
    if (ctl_open_read_silently(d->ctl, why) != EXIT_DONE) /* check_store_content has reported it */
        return false;
    if (store_newest_time(d->ctl->store, &newest_s) != STORE_OK) {
        doctor_report(d, RESULT_UNKNOWN, "clock",
                      "whether the clock is behind the store was not asked: %s",
                      store_error(d->ctl->store));
        doctor_why(d, "leases end by the clock of this host");
        doctor_mend(d, "see what is said of the store");
    } else if (newest_s > d->ctl->now_s + CLOCK_BEHIND_S) {
        behind = true;
        time_format_local(d->ctl->now_s, now);
        time_format_local(newest_s, then);
        doctor_report(d, RESULT_FAIL, "clock",
                      "it is %s by the clock, and something was written into the store at %s", now,
                      then);
        doctor_why(d, "leases end by this clock: those that were over are good again, and those "
                      "that are made now end too early");
        doctor_mend(d, "%s", set_clock);
    }
    ctl_close(d->ctl);
    return behind;
}

/* adjtimex(2): what the kernel was told by whoever keeps the clock right. */
static bool check_synchronised(struct doctor_run *d)
{
    struct timex t = {.modes = 0};
    if (adjtimex(&t) < 0) {
        doctor_report(d, RESULT_UNKNOWN, "clock",
                      "whether the clock is synchronised was not asked: %s", strerror(errno));
        doctor_why(d, "leases end by the clock of this host");
        doctor_mend(d, "timedatectl, on the host itself where this is a container");
        return false;
    }
    if ((t.status & STA_UNSYNC) == 0)
        return true;
    doctor_report(d, RESULT_NOTE, "clock", "nothing on this host keeps the clock right");
    doctor_why(d, "leases end by it, and the log is dated by it");
    doctor_mend(d, "timedatectl set-ntp true (with systemd-timesyncd or chrony); in a virtual "
                   "machine its host may do it unseen");
    return false;
}

void check_clock(struct doctor_run *d)
{
    bool well = !check_newest(d);
    well = check_synchronised(d) && well;
    if (ctl_clock_may_have_jumped(d->ctl)) {
        doctor_report(d, RESULT_NOTE, "clock", "the clock jumped less than an hour ago");
        doctor_why(d, "for an hour after a jump no lease is deleted, and no port that another held "
                      "is given");
        doctor_mend(d, "nothing, where the clock is right by now; else: %s", set_clock);
        well = false;
    }
    if (well)
        doctor_report(d, RESULT_OK, "clock", "the clock is synchronised, and not behind the store");
}
