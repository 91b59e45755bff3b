/* SPDX-License-Identifier: ISC */
/*
 * leasectl prove: for an auditor. Who may reach what until when, the claims of docs/security.md
 * that can be tried on a gateway in use, doctor, and the audit's head, in one file (leasectl(1)).
 */
#include "leasectl/child.h"
#include "leasectl/prove/audit_trials.h"
#include "leasectl/prove/doctor_trials.h"
#include "leasectl/prove/host_trials.h"
#include "leasectl/prove/leases.h"
#include "leasectl/prove/own_lease.h"
#include "leasectl/prove/report.h"
#include "leasectl/prove/report_file.h"
#include "leasectl/sign/sign.h"
#include "leasectl/verbs.h"
#include "lib/base/text.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct prove {
    struct proof proof;
    struct verifies verifies;
    struct leases_report leases;
    struct sessions_report sessions;
    struct doctor_findings doctor;
    struct audit_proof audit;
    struct sshd sshd;
    bool has_sshd;
};

/* What is read first shows the gateway as it was before anything was tried. */
static void try_all(struct prove *v)
{
    struct proof *p = &v->proof;
    struct buf why = {0};
    int64_t own_lease_id = 0;
    v->has_sshd = sshd_find(&p->ctl->conf, &v->sshd, &why) == 0;
    buf_release(&why);
    read_leases(p, &v->verifies, &v->leases);
    read_sessions(p, &v->sessions);
    try_doctor(p, &v->doctor);
    verifies_begin(&v->verifies);
    try_own_lease(p, &v->verifies, &own_lease_id);
    try_files(p, v->has_sshd ? &v->sshd : NULL);
    try_leased(p);
    try_logins(p, &v->verifies, v->has_sshd ? &v->sshd : NULL);
    proof_show_progress(p, "verify");
    verifies_finish(&v->verifies);
    try_audit(p, own_lease_id, &v->audit);
    proof_finish(p);
    proof_show_progress(p, "");
}

static int sign_and_write(struct prove *v, const struct report *r, const char *file,
                          const char *key)
{
    struct ctl *ctl = v->proof.ctl;
    struct buf text = {0}, signature = {0};
    report_format(r, &text);
    int code = buf_text(&text) != NULL ? EXIT_DONE : ctl_error(ctl, EXIT_FAILED, "out of memory");
    if (code == EXIT_DONE && key != NULL)
        code = sign_text(ctl, key, SIGN_REPORT, &text, &signature);
    if (code == EXIT_DONE)
        code = report_file_write(ctl, file, &signature, &text);
    buf_release(&text);
    buf_release(&signature);
    return code;
}

static int report(struct prove *v, const char *file, const char *key)
{
    struct ctl *ctl = v->proof.ctl;
    const struct report r = {.proof = &v->proof,
                             .took_s = proof_elapsed_ms(&v->proof) / 1000,
                             .sshd = v->has_sshd ? &v->sshd : NULL,
                             .leases = &v->leases,
                             .sessions = &v->sessions,
                             .doctor = &v->doctor,
                             .audit = &v->audit,
                             .is_signed = key != NULL};
    struct buf said = {0};
    if (proof_interrupted())
        return ctl_error(ctl, EXIT_FAILED, "interrupted: no report was written");
    int code = sign_and_write(v, &r, file, key);
    if (code != EXIT_DONE)
        return code;
    if (ctl->json)
        report_add_json(&r, &said);
    else
        report_summary(&r, &said);
    if (ctl->json)
        (void)puts(child_text(&said));
    else
        text_print(stdout, "'%s': %s", file, child_text(&said));
    buf_release(&said);
    return report_result(&r) == REPORT_PASS ? EXIT_DONE : EXIT_FAILED;
}

static int check_arguments(const struct ctl *ctl, const char *file, const char *key)
{
    if (file == NULL || *file == '\0')
        return ctl_usage(ctl, "prove takes --report FILE");
    if (*file == '-')
        return ctl_error(ctl, EXIT_USAGE,
                         "'%s' stands where the FILE of --report is missing: to name a file so, "
                         "write ./%s",
                         text_clip(file).s, text_clip(file).s);
    if (geteuid() != 0)
        return ctl_error(ctl, EXIT_FAILED,
                         "prove tries what only root may: sudo leasectl prove --report FILE");
    if (key != NULL && access(key, R_OK) != 0)
        return ctl_error(ctl, EXIT_USAGE, "cannot read the key '%s': %s", text_clip(key).s,
                         strerror(errno));
    return report_file_check(ctl, file);
}

int cmd_prove(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {{"report", required_argument, NULL, 'r'},
                                            {"sign", required_argument, NULL, 's'},
                                            {NULL, 0, NULL, 0}};
    struct prove v = {.has_sshd = false};
    const char *file = NULL, *key = NULL;
    int opt;

    while ((opt = ctl_option(ctl, argc, argv, options)) != -1)
        if (opt == 'r')
            file = optarg;
        else if (opt == 's')
            key = optarg;
        else
            return EXIT_USAGE;
    if (optind != argc)
        return ctl_usage(ctl, "prove takes no words: --report FILE names the report");
    int code = check_arguments(ctl, file, key);
    if (code != EXIT_DONE)
        return code;
    proof_catch_signals();
    proof_init(&v.proof, ctl);
    v.verifies.proof = &v.proof;
    try_all(&v);
    code = report(&v, file, key);
    leases_report_release(&v.leases);
    sessions_report_release(&v.sessions);
    doctor_findings_release(&v.doctor);
    proof_release(&v.proof);
    return code;
}
