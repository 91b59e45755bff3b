/* SPDX-License-Identifier: ISC */
/* Which sshd serves, and was the drop-in that setup wrote made for it? */
#include "leasectl/doctor/checks.h"
#include "leasectl/host/matchblock.h"
#include "leasectl/host/sshd.h"
#include "leasectl/host/sshd_settings.h"
#include "leasectl/host/sshd_version.h"
#include "lib/base/buf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Upgraded without a restart: the old sshd listens, and starts the new one for each login. */
static void check_running(struct doctor_run *d)
{

    struct sshd_version v = d->dialect.running;
    const char *path = d->sshd.path;
    if (v.major != 0 && !sshd_same_version(&v, &d->sshd.program_version)) {
        doctor_report(d, RESULT_WARN, "sshd",
                      "what answers on port %u is OpenSSH %u.%u, and '%s' is %u.%u", d->sshd.port,
                      v.major, v.minor, path, d->sshd.program_version.major,
                      d->sshd.program_version.minor);
        doctor_why(d, "what is checked here is not the sshd that admits people");
        doctor_mend(d, "'Sshd /path/of/the/right/one' in '%s'", ctl_conf_name(d->ctl));
        return;
    }
    if (!d->sshd.replaced)
        return;
    if (sshd_listener_version(&d->sshd, &v) && !sshd_same_version(&v, &d->sshd.program_version))
        doctor_report(d, RESULT_WARN, "sshd",
                      "OpenSSH %u.%u listens still, and '%s' is %u.%u by now", v.major, v.minor,
                      path, d->sshd.program_version.major, d->sshd.program_version.minor);
    else
        doctor_report(d, RESULT_WARN, "sshd", "'%s' was replaced since sshd was started", path);
    doctor_why(d, "the old listener starts the new program for each login");
    doctor_mend(d, "systemctl restart ssh (or sshd): live connections stay");
}

/* akc prints times for the zone that the drop-in names, and sshd reads them in its own. */
static void check_zone(struct doctor_run *d, const char *dropin)
{
    struct buf made_for = {0}, current = {0};
    matchblock_read_zone(dropin, &made_for);
    if (!sshd_reads_utc(&d->dialect.version))
        matchblock_format_zone(&d->dialect.zone, &current);
    const char *was = made_for.len > 0 ? buf_text(&made_for) : "",
               *now = current.len > 0 ? buf_text(&current) : "";
    if (was == NULL || now == NULL) {
        doctor_report(d, RESULT_FAIL, "time zone", "out of memory");
        doctor_why(d, "it was not checked");
        doctor_mend(d, "run 'leasectl doctor' again");
    } else if (*was != '\0' && *now != '\0' && strcmp(was, now) != 0) {
        doctor_report(d, RESULT_FAIL, "time zone",
                      "akc prints the ends of leases for an sshd with %s, and this one has %s", was,
                      now);
        doctor_why(d, "leases end hours too early or too late");
        doctor_mend(d, "leasectl setup");
    } else if (*now != '\0')
        doctor_report(d, RESULT_OK, "time zone",
                      "OpenSSH %u.%u reads no UTC: akc prints the ends of leases for it with %s",
                      d->dialect.version.major, d->dialect.version.minor, now);
    buf_release(&made_for);
    buf_release(&current);
}

/* Was the drop-in made for the sshd that serves now? */
static void check_dropin(struct doctor_run *d)
{
    struct sshd_version made_for;
    struct buf now = {0};
    char *text = matchblock_read_dropin();
    const char *version = text;
    if (text == NULL) /* check_effective reports what is missing */
        return;
    if (matchblock_read_version(version, &made_for) &&
        !sshd_same_version(&made_for, &d->dialect.version)) {
        matchblock_format(&d->ctl->conf, d->ctl->conf_file, &d->dialect, &now);
        const char *blocks = strstr(text, "\n\n"), *wanted = NULL;
        if (buf_text(&now) != NULL)
            wanted = strstr(buf_text(&now), "\n\n");
        if (blocks == NULL || wanted == NULL || strcmp(blocks, wanted) != 0) {
            doctor_report(d, RESULT_FAIL, "sshd",
                          "'%s' was made for OpenSSH %u.%u, and %u.%u serves now", SSHD_DROPIN,
                          made_for.major, made_for.minor, d->dialect.version.major,
                          d->dialect.version.minor);
            doctor_why(d, "what this version knows to refuse may be open");
            doctor_mend(d, "leasectl setup");
        }
    }
    check_zone(d, text);
    buf_release(&now);
    free(text);
}

void check_sshd(struct doctor_run *d)
{
    struct buf why = {0};
    if (sshd_find(&d->ctl->conf, &d->sshd, &why) != 0) {
        doctor_report(d, RESULT_FAIL, "sshd", "%s", buf_text(&why) != NULL ? buf_text(&why) : "");
        doctor_why(d, "no setting of sshd can be checked");
        doctor_mend(d, "'Sshd /path/of/the/sshd/that/serves' in '%s'", ctl_conf_name(d->ctl));
    } else if (sshd_query_dialect(&d->sshd, &d->dialect, &why) != 0) {
        doctor_report(d, RESULT_FAIL, "sshd", "'%s', %s: %s", d->sshd.path, d->sshd.how,
                      buf_text(&why) != NULL ? buf_text(&why) : "");
        doctor_why(d, "no setting of sshd can be checked");
        doctor_mend(d, "'%s -t' says what sshd does not take", d->sshd.path);
    } else if (sshd_test(&d->sshd, &why) != 0) {
        doctor_report(d, RESULT_FAIL, "sshd", "'%s -t' refuses the configuration: %s", d->sshd.path,
                      buf_text(&why) != NULL ? buf_text(&why) : "");
        doctor_why(d, "sshd does not start again with it");
        doctor_mend(d, "mend that line; '%s -t' is silent when all is well", d->sshd.path);
    } else {
        d->has_dialect = true;
    }
    buf_release(&why);
    if (!d->has_dialect)
        return;
    doctor_report(d, RESULT_OK, "sshd", "'%s' (OpenSSH %u.%u), %s, takes its configuration",
                  d->sshd.path, d->sshd.program_version.major, d->sshd.program_version.minor,
                  d->sshd.how);
    check_running(d);
    d->no_dropin = access(SSHD_DROPIN, F_OK) != 0 && errno == ENOENT;
    check_dropin(d);
}
