/* SPDX-License-Identifier: ISC */
/*
 * Prints what doctor finds. A finding has three parts: what is so; and if that is not as it should
 * be, why it matters and what mends it: a command, or a line and the file it belongs into.
 */
#ifndef TUNLEASE_LEASECTL_DOCTOR_REPORT_H
#define TUNLEASE_LEASECTL_DOCTOR_REPORT_H

#include "leasectl/ctl.h"
#include "leasectl/host/sshd.h"
#include "leasectl/host/sshd_dialect.h"
#include "leasectl/doctor/sshd_lines.h"
#include "lib/base/buf.h"
#include "lib/lease/name.h"
#include "lib/lease/source.h"

#include <stdbool.h>
#include <stddef.h>

enum result {
    RESULT_OK,
    RESULT_NOTE,    /* allowed, and worth knowing: it concerns other users of this host */
    RESULT_UNKNOWN, /* could not be asked, so neither well nor wrong is known */
    RESULT_WARN,    /* tunnels work, and something that the admin expects does not */
    RESULT_FAIL,    /* logins are refused, or something is open that should not be */
};

/* An address or network that an active lease may be used from. */
struct lease_source {
    char login[LOGIN_NAME_BYTES];
    struct source source;
};

struct doctor_run {
    struct ctl *ctl;
    bool quick; /* start no program */
    unsigned failed, warned, unknown, noted, well;
    unsigned findings, printed;
    bool no_more; /* what was found says all: no further check is made */
    struct sshd sshd;
    struct sshd_dialect dialect;
    bool has_dialect;        /* dialect is known, and sshd -t accepts the configuration */
    struct buf global;       /* sshd's settings without a login, as sshd_effective adds them */
    struct sshd_lines lines; /* where they stand */
    bool no_blocks;          /* our Match blocks are not in force; said in one finding */
    bool dropin_differs;     /* setup's file is not what it would write now; said in one finding */
    bool store_reported;     /* a finding has said why akc or leased cannot use the store */
    struct lease_source *sources; /* owned */
    size_t source_count, source_cap;
    bool sources_lost; /* there are more than were kept */
    size_t agents;     /* that are active */
    /* the finding that doctor_why and doctor_mend complete; check is NULL when there is none */
    struct {
        enum result result;
        const char *check;
        struct buf what, why, mend;
    } finding;
};

/*
 * Begins a finding. check: the first column, one word or two, a string constant; the text: a clause
 * for people, without a full stop. It is printed when the next one begins, or at the end of
 * doctor_run_all.
 */
void doctor_report(struct doctor_run *d, enum result result, const char *check, const char *fmt,
                   ...) __attribute__((format(printf, 4, 5)));

/* Each adds its part to the last finding. Every finding but RESULT_OK has both. */
void doctor_why(struct doctor_run *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void doctor_mend(struct doctor_run *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Runs the checks, prints all findings, on a terminal what they come to, and releases what d
 * holds. */
typedef void (*doctor_check_fn)(struct doctor_run *d);
void doctor_run_all(struct doctor_run *d, const doctor_check_fn checks[], size_t count);

#endif
