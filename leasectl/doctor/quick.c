/* SPDX-License-Identifier: ISC */
/* The checks of doctor --quick: those that start no program and cost little, for a health check. */
#include "leasectl/ctl_store.h"
#include "leasectl/doctor/checks.h"
#include "leasectl/doctor/doctor.h"
#include "leasectl/host/matchblock.h"
#include "lib/base/buf.h"
#include "lib/store/agents.h"
#include "lib/store/connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Opens the store, and looks up a lease that nobody has: the answer matters, not the lease. */
static void check_store_answers(struct doctor_run *d)
{
    char why[STORE_ERROR_BYTES];
    struct agent nobody;
    const char *database = d->ctl->conf.paths.database;
    if (ctl_open_read_silently(d->ctl, why) != EXIT_DONE) {
        report_store_not_opened(d, why);
        return;
    }
    const enum store_rc rc = store_agent_find(d->ctl->store, "", &nobody);
    if (rc == STORE_OK || rc == STORE_NONE)
        doctor_report(d, RESULT_OK, "store", "'%s' answers", database);
    else
        report_store_not_opened(d, store_error(d->ctl->store));
    ctl_close(d->ctl);
}

/* False: what this configuration would write now is something else, or cannot be told without
 * asking sshd. */
static bool is_up_to_date(const struct doctor_run *d, const char *text, bool *ret_told)
{
    struct sshd_dialect dialect = {.zone.is_set = false};
    struct buf now = {0};
    *ret_told = matchblock_read_version(text, &dialect.version) && sshd_reads_utc(&dialect.version);
    if (*ret_told)
        matchblock_format(&d->ctl->conf, d->ctl->conf_file, &dialect, &now);
    const bool same = *ret_told && buf_text(&now) != NULL && strcmp(buf_text(&now), text) == 0;
    buf_release(&now);
    return same;
}

static void check_dropin_hash(struct doctor_run *d)
{
    static const char why[] = "what sshd has in force may be more than a lease says, or less";
    char *text = matchblock_read_dropin();
    bool told = false;
    if (text == NULL) {
        doctor_report(d, RESULT_UNKNOWN, "sshd",
                      "whether the Match blocks are in force was not asked: '%s' cannot be read, "
                      "and they may stand elsewhere",
                      SSHD_DROPIN);
        doctor_why(d, "%s", why);
        doctor_mend(d, "leasectl doctor, which asks sshd; leasectl setup");
    } else if (!matchblock_is_unedited(text)) {
        doctor_report(d, RESULT_FAIL, "sshd", "'%s' was edited since setup wrote it", SSHD_DROPIN);
        doctor_why(d, "%s", why);
        doctor_mend(d, "'leasectl setup' shows the differences; move the file away, then: leasectl "
                       "setup");
    } else if (is_up_to_date(d, text, &told)) {
        doctor_report(d, RESULT_OK, "sshd", "'%s' is what this configuration makes", SSHD_DROPIN);
    } else if (told) {
        doctor_report(d, RESULT_FAIL, "sshd",
                      "'%s' is not what the configuration, or the tunnel group, makes now",
                      SSHD_DROPIN);
        doctor_why(d, "%s", why);
        doctor_mend(d, "leasectl setup");
    } else {
        doctor_report(d, RESULT_OK, "sshd", "'%s' is as setup wrote it", SSHD_DROPIN);
    }
    free(text);
}

int doctor_check_quickly(struct ctl *ctl)
{
    static void (*const checks[])(struct doctor_run * d) = {
        check_store_answers, check_dropin_hash, check_pam, check_run_dir, check_leased, check_proc,
    };
    struct doctor_run d = {.ctl = ctl, .quick = true};
    doctor_run_all(&d, checks, sizeof(checks) / sizeof(checks[0]));
    return d.failed + d.warned + d.unknown == 0 ? EXIT_DONE : EXIT_FAILED;
}
