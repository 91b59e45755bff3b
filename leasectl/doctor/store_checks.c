/* SPDX-License-Identifier: ISC */
/* Is the store sound, and what does it hold back? */
#include "leasectl/audit/fault.h"
#include "leasectl/ctl_store.h"
#include "leasectl/doctor/checks.h"
#include "lib/base/buf.h"
#include "lib/lease/time_text.h"
#include "lib/store/audit_verify.h"
#include "lib/store/connection.h"
#include "lib/store/freezes.h"
#include "lib/store/integrity.h"
#include "lib/store/version.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

enum { MIB = 1024 * 1024, WHOLE_CHECK_MIB = 256 }; /* of a larger store not every page is read */

static const char what_counts[] = "the store alone says who may log in, and what for";

void report_store_not_opened(struct doctor_run *d, const char *why)
{
    char backup[STORE_BACKUP_NAME_BYTES];
    doctor_report(d, RESULT_FAIL, "store", "%s", why);
    doctor_why(d, "nobody can log in with a lease, and nothing can be granted or revoked");
    if (strstr(why, "newer tunlease") != NULL &&
        store_backup_name(d->ctl->conf.paths.database, STORE_VERSION + 1, backup) == 0)
        doctor_mend(d,
                    "install that newer tunlease again, or restore the backup from before it, '%s' "
                    "or above: leasectl restore FILE --forget-revocations",
                    backup);
    else
        doctor_mend(d, "leasectl restore FILE, a backup; where no lease was ever granted: "
                       "leasectl setup");
    d->store_reported = true;
}

static void report_not_asked(struct doctor_run *d, const char *check, const char *what,
                             const char *because)
{
    doctor_report(d, RESULT_UNKNOWN, check, "%s was not asked: %s", what, because);
    doctor_why(d, "%s", what_counts);
    doctor_mend(d, "sqlite3 -readonly '%s' 'PRAGMA integrity_check'", d->ctl->conf.paths.database);
}

static void check_version(struct doctor_run *d)
{
    int version;
    if (store_version_read(d->ctl->store, &version) != STORE_OK || version >= STORE_VERSION)
        return;
    doctor_report(d, RESULT_NOTE, "store", "the store is of version %d, and this tunlease makes %d",
                  version, STORE_VERSION);
    doctor_why(d, "the next change brings it to %d, and an older tunlease cannot read it then",
               STORE_VERSION);
    doctor_mend(d, "leasectl setup");
}

/* Backups that migrations made. They only take room once nobody wants to go back. */
static void check_kept_backups(struct doctor_run *d)
{
    char name[STORE_BACKUP_NAME_BYTES], when[TIME_TEXT_BYTES];
    struct stat st;
    for (int v = STORE_VERSION_OLDEST + 1; v <= STORE_VERSION; v++) {
        if (store_backup_name(d->ctl->conf.paths.database, v, name) != 0 || lstat(name, &st) != 0)
            continue;
        time_format_local(st.st_mtime, when);
        doctor_report(d, RESULT_NOTE, "store", "'%s' is the store from before its migration of %s",
                      name, when);
        doctor_why(d, "it is the way back to an older tunlease, and permits what was revoked since "
                      "to whoever puts it back: leasectl(1), UPGRADE");
        doctor_mend(d, "rm '%s' when nobody will go back", name);
    }
}

/* False: what was found says that more questions would fail, too. */
static bool check_pages(struct doctor_run *d)
{
    char problem[STORE_ERROR_BYTES];
    switch (store_integrity_check(d->ctl->store, problem)) {
    case STORE_OK:
        return true;
    case STORE_NONE:
        doctor_report(d, RESULT_FAIL, "store", "the database is damaged: %s", problem);
        doctor_why(d, "what is damaged is refused, and so may be what is sound beside it; %s",
                   what_counts);
        doctor_mend(d,
                    "stop leased, and put a copy from before the damage at '%s'; look at the "
                    "disk: dmesg, smartctl -a",
                    d->ctl->conf.paths.database);
        return false;
    default:
        report_not_asked(d, "store", "whether the database is sound", store_error(d->ctl->store));
        return false;
    }
}

static void check_audit(struct doctor_run *d)
{
    struct audit_report report;
    struct buf fault = {0};
    if (audit_verify(d->ctl->store, &report) != STORE_OK)
        report_not_asked(d, "audit", "whether the audit chain is whole",
                         store_error(d->ctl->store));
    else if (report.broken_seq != 0) {
        audit_fault_describe(&report, &fault);
        doctor_report(d, RESULT_FAIL, "audit", "the chain breaks at row %" PRId64 ": %s",
                      report.broken_seq, buf_text_or(&fault, "out of memory"));
        doctor_why(d, "that was done by something that is no tunlease, so what the audit says from "
                      "there on proves nothing");
        doctor_mend(d,
                    "compare with a copy of the store from before: sqlite3 -readonly '%s' "
                    "'SELECT * FROM audit WHERE seq >= %" PRId64 " - 1'",
                    d->ctl->conf.paths.database, report.broken_seq);
    } else
        doctor_report(d, RESULT_OK, "audit", "the chain of %" PRId64 " rows is whole", report.rows);
    buf_release(&fault);
}

static void report_too_large(struct doctor_run *d, const char *database)
{
    doctor_report(d, RESULT_UNKNOWN, "store",
                  "whether the database is sound, and its audit chain whole, was not asked: it is "
                  "so large that it would take long");
    doctor_why(d, "%s", what_counts);
    doctor_mend(d, "sqlite3 -readonly '%s' 'PRAGMA integrity_check' && leasectl audit verify",
                database);
}

void check_store_content(struct doctor_run *d)
{
    char why[STORE_ERROR_BYTES];
    struct stat st;
    const char *database = d->ctl->conf.paths.database;
    if (ctl_open_read_silently(d->ctl, why) != EXIT_DONE) {
        if (!d->store_reported)
            report_store_not_opened(d, why);
        return;
    }
    check_version(d);
    check_kept_backups(d);
    if (stat(database, &st) == 0 && st.st_size / MIB >= WHOLE_CHECK_MIB) {
        report_too_large(d, database);
    } else if (check_pages(d)) {
        doctor_report(d, RESULT_OK, "store", "the database '%s' is sound", database);
        check_audit(d);
    }
    ctl_close(d->ctl);
}

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
    char why[STORE_ERROR_BYTES];
    if (ctl_open_read_silently(d->ctl, why) != EXIT_DONE) /* check_store_content has reported it */
        return;
    if (store_freeze_list(d->ctl->store, report_freeze, d) != STORE_OK && !d->store_reported)
        report_not_asked(d, "freeze", "whether a login is frozen", store_error(d->ctl->store));
    ctl_close(d->ctl);
}
