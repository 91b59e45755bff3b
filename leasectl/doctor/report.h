/* SPDX-License-Identifier: ISC */
/* Prints what doctor finds: a line for each thing that it has checked. */
#ifndef TUNLEASE_LEASECTL_DOCTOR_REPORT_H
#define TUNLEASE_LEASECTL_DOCTOR_REPORT_H

#include "leasectl/ctl.h"
#include "leasectl/host/sshd.h"
#include "leasectl/host/sshd_dialect.h"

#include <stdbool.h>

enum result { RESULT_OK, RESULT_WARN, RESULT_FAIL };

struct doctor_run {
    struct ctl *ctl;
    unsigned failed;
    unsigned printed;
    struct sshd sshd;
    struct sshd_dialect dialect;
    bool has_dialect; /* dialect is known, and sshd -t accepts the configuration */
    bool no_dropin;   /* setup's file is not there; its blocks may stand elsewhere */
};

/* check: the first column, one word or two; detail: a sentence for people. */
void doctor_report(struct doctor_run *d, enum result result, const char *check, const char *detail);
void doctor_reportf(struct doctor_run *d, enum result result, const char *check, const char *fmt,
                    ...) __attribute__((format(printf, 4, 5)));

#endif
