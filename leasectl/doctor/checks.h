/* SPDX-License-Identifier: ISC */
/* The checks of doctor, in groups: each reports what it finds, good or bad. */
#ifndef TUNLEASE_LEASECTL_DOCTOR_CHECKS_H
#define TUNLEASE_LEASECTL_DOCTOR_CHECKS_H

#include "leasectl/doctor/report.h"

/* akc_checks.c. Uses what check_sshd and the checks of the store have set. */
void check_akc_path(struct doctor_run *d);
void check_akc_run(struct doctor_run *d);

/* place_checks.c. check_store_files sets store_reported. */
void check_store_files(struct doctor_run *d);
void check_space(struct doctor_run *d);

/* store_checks.c. check_store_content sets store_reported. */
void check_store_content(struct doctor_run *d);
void report_store_not_opened(struct doctor_run *d, const char *why);
void check_freezes(struct doctor_run *d);

/* clock_checks.c */
void check_clock(struct doctor_run *d);

/* network_checks.c. Use what check_sshd has set. */
struct usage;
void check_kernel_ports(struct doctor_run *d);
void report_services(struct doctor_run *d, const struct usage *usage);

/* ceiling_checks.c. check_usage reads what leases use, and reports the services and the ceilings.
 */
void report_ceilings(struct doctor_run *d, const struct usage *usage);
void check_usage(struct doctor_run *d);

/* dropin_checks.c. One finding, and no other check after it, where setup was never run or was
 * undone. */
void check_set_up(struct doctor_run *d);

/* sshd_checks.c. Sets d's sshd, dialect, has_dialect, global and lines. */
void check_sshd(struct doctor_run *d);

/* account_checks.c */
void check_login_account(struct doctor_run *d, const char *login);
void check_login_sudo(struct doctor_run *d, const char *login); /* reports only that it may */

/* join_checks.c. Nothing where JoinLogin is not set; check_settings has its settings, and check_pam
 * its argument. Uses what check_sshd has set. */
void check_join(struct doctor_run *d);

/* lease_facts.c. Sets d's sources and agents, where the store can be opened. Reports only that they
 * cannot be read. */
void check_leases(struct doctor_run *d);

/* copy_checks.c */
void check_copies(struct doctor_run *d);

/* These use what check_sshd and check_leases have set. dropin_checks.c sets no_blocks and
 * dropin_differs. */
void check_dropin(struct doctor_run *d);
void check_settings(struct doctor_run *d); /* settings_checks.c, time_checks.c */
void check_load(struct doctor_run *d);     /* load_checks.c */
void check_others(struct doctor_run *d);   /* others_checks.c */

/* page_checks.c */
void check_page(struct doctor_run *d);

/* login_checks.c */
void check_logins(struct doctor_run *d);

/* admission_checks.c. Uses what check_sshd has set. */
void check_admission(struct doctor_run *d);

/* pam_checks.c */
void check_pam(struct doctor_run *d);

/* session_checks.c */
void check_registry(struct doctor_run *d);
void check_run_dir(struct doctor_run *d); /* only that it can be used */

/* leased_checks.c */
void check_key_files(struct doctor_run *d);
void check_control_port(struct doctor_run *d);
void check_leased(struct doctor_run *d);
void check_proc(struct doctor_run *d);
struct proc_view;
int leased_proc_view(struct doctor_run *d, struct proc_view *ret);    /* 0, or -1 with errno */
void mend_proc_view(struct doctor_run *d, const struct proc_view *v); /* of one that hides */

#endif
