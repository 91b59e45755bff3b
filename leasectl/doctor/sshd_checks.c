/* SPDX-License-Identifier: ISC */
/* Which sshd serves, and does it take its configuration? */
#include "leasectl/doctor/checks.h"
#include "leasectl/doctor/place.h"
#include "leasectl/host/sshd.h"
#include "leasectl/host/sshd_settings.h"
#include "leasectl/host/sshd_version.h"
#include "lib/base/buf.h"

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

void check_sshd(struct doctor_run *d)
{
    struct buf why = {0};
    if (sshd_find(&d->ctl->conf, &d->sshd, &why) != 0) {
        doctor_report(d, RESULT_FAIL, "sshd", "%s", buf_text_or(&why, ""));
        doctor_why(d, "no setting of sshd can be checked");
        doctor_mend(d, "'Sshd /path/of/the/sshd/that/serves' in '%s'", ctl_conf_name(d->ctl));
    } else if (sshd_query_dialect(&d->sshd, &d->dialect, &why) != 0) {
        doctor_report(d, RESULT_FAIL, "sshd", "'%s', %s: %s", d->sshd.path, d->sshd.how,
                      buf_text_or(&why, ""));
        doctor_why(d, "no setting of sshd can be checked");
        doctor_mend(d, "'%s -t' says what sshd does not take", d->sshd.path);
    } else if (sshd_test(&d->sshd, &why) != 0) {
        doctor_report(d, RESULT_FAIL, "sshd", "'%s -t' refuses the configuration: %s", d->sshd.path,
                      buf_text_or(&why, ""));
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
    sshd_lines_read(place_config(d), &d->lines);
    if (sshd_effective(&d->sshd, NULL, &d->global) == 0)
        return;
    doctor_report(d, RESULT_UNKNOWN, "sshd", "the settings that hold for all were not asked: %s",
                  buf_text_or(&d->global, "out of memory"));
    doctor_why(d, "whether PAM is asked, and for how many sshd has room, is not known");
    doctor_mend(d, "'%s -T' says what it lacks", d->sshd.path);
    buf_clear(&d->global);
}
