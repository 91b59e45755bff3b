/* SPDX-License-Identifier: ISC */
#include "leasectl/doctor/doctor.h"

#include "leasectl/doctor/checks.h"

#include <string.h>

static void check_conf(struct doctor_run *d)
{
    doctor_report(d, RESULT_OK, "conf", "'%s' is well formed", ctl_conf_name(d->ctl));
}

static void check_public_host(struct doctor_run *d)
{
    const char *host = d->ctl->conf.public_host;
    if (strchr(host, '.') == NULL && strchr(host, ':') == NULL) {
        doctor_report(d, RESULT_WARN, "public host", "'%s' has no dot", host);
        doctor_why(d, "friends elsewhere cannot resolve it, and it is in the line they get");
        doctor_mend(d, "'PublicHost gateway.example.com' in '%s'", ctl_conf_name(d->ctl));
    } else
        doctor_report(d, RESULT_OK, "public host", "friends are told to connect to '%s' port %u",
                      host, d->ctl->conf.public_port);
}

int doctor_check_all(struct ctl *ctl)
{
    /* In the order in which they are printed. */
    static void (*const checks[])(struct doctor_run * d) = {
        check_conf,        check_set_up,       check_sshd,          check_akc_path,
        check_store_files, check_space,        check_store_content, check_akc_run,
        check_clock,       check_freezes,      check_copies,        check_leases,
        check_dropin,      check_settings,     check_load,          check_others,
        check_logins,      check_join,         check_admission,     check_pam,
        check_registry,    check_key_files,    check_control_port,  check_leased,
        check_proc,        check_kernel_ports, check_usage,         check_page,
        check_public_host,
    };
    struct doctor_run d = {.ctl = ctl};
    doctor_run_all(&d, checks, sizeof(checks) / sizeof(checks[0]));
    return d.failed == 0 ? EXIT_DONE : EXIT_FAILED;
}
