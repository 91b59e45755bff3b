/* SPDX-License-Identifier: ISC */
/* The report of leasectl prove: for people, then the same as JSON (docs/schema/prove.json). */
#ifndef TUNLEASE_LEASECTL_PROVE_REPORT_H
#define TUNLEASE_LEASECTL_PROVE_REPORT_H

#include "leasectl/host/sshd.h"
#include "leasectl/prove/audit_trials.h"
#include "leasectl/prove/doctor_trials.h"
#include "leasectl/prove/leases.h"
#include "leasectl/prove/proof.h"
#include "lib/base/buf.h"

#include <stdint.h>

#define REPORT_JSON_BEGIN "-----BEGIN TUNLEASE REPORT JSON-----"
#define REPORT_JSON_END "-----END TUNLEASE REPORT JSON-----"

enum report_result {
    REPORT_PASS,       /* every trial was run and passed, and doctor found nothing that fails */
    REPORT_INCOMPLETE, /* nothing failed, and something was not run or could not be read */
    REPORT_FAIL,
};

struct report {
    const struct proof *proof;
    const struct sshd *sshd; /* NULL: none was found */
    const struct leases_report *leases;
    const struct sessions_report *sessions;
    const struct doctor_findings *doctor;
    const struct audit_proof *audit;
    int64_t took_s; /* the same in the text, in its JSON and in what --json prints */
    bool is_signed;
};

enum report_result report_result(const struct report *r);
/* One sentence on it, without a full stop. */
void report_summary(const struct report *r, struct buf *out);

/* Adds the whole of it. out->failed: memory ran out. */
void report_format(const struct report *r, struct buf *out);

/* report_json.c: adds the JSON document. */
void report_add_json(const struct report *r, struct buf *out);

#endif
