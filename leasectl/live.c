/* SPDX-License-Identifier: ISC */
#include "leasectl/live.h"

#include "leasectl/account.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"

#include <poll.h>

enum { PIDS_SHOWN = 16, SETTLE_MS = 500 };

/*
 * Nothing records whose a connection is before pam_tunnel does, and several leases share a login.
 * So none is ended, and what is still up is named (DESIGN 9, PAM module missing).
 */
int live_report(struct ctl *ctl, const char *login)
{
    pid_t pids[PIDS_SHOWN];
    struct buf text = {0};
    size_t count = 0;
    /* A login that was let in just before the revoke becomes the login's process a moment later. */
    int64_t end_ms = clock_monotonic_ms() + SETTLE_MS;
    while ((count = account_processes(login, pids, PIDS_SHOWN)) == 0 &&
           clock_monotonic_ms() < end_ms)
        (void)poll(NULL, 0, 50);
    if (count == 0)
        return EXIT_DONE;
    for (size_t i = 0; i < count && i < PIDS_SHOWN; i++)
        buf_addf(&text, " %d", (int)pids[i]);
    (void)ctl_error(ctl, EXIT_STILL_UP,
                    "still up: %zu connection%s of login '%s' (pid%s%s%s), of this lease or of "
                    "others: without pam_tunnel nobody can tell; 'kill PID' ends one",
                    count, count == 1 ? "" : "s", login, count == 1 ? "" : "s",
                    buf_text(&text) != NULL ? buf_text(&text) : " ?",
                    count > PIDS_SHOWN ? " ..." : "");
    buf_release(&text);
    return EXIT_STILL_UP;
}
