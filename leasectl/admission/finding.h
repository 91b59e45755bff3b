/* SPDX-License-Identifier: ISC */
/*
 * What is found about a login's admission. A finding says which layer it comes from, what is so,
 * why that matters, and which line or command mends it.
 */
#ifndef TUNLEASE_LEASECTL_ADMISSION_FINDING_H
#define TUNLEASE_LEASECTL_ADMISSION_FINDING_H

#include "lib/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

enum admission_layer {
    ADMISSION_SSHD,    /* the settings that sshd has in force for the login */
    ADMISSION_ACCOUNT, /* passwd(5), shadow(5) and group(5) */
    ADMISSION_PAM,     /* the stacks that sshd runs */
    ADMISSION_LEASE,   /* the store, and the line that akc prints */
    ADMISSION_LAYER__MAX
};
const char *admission_layer_name(enum admission_layer layer); /* sshd, account, pam, lease */

enum admission_effect {
    ADMISSION_REFUSES,   /* the login or its forward is refused */
    ADMISSION_ELSEWHERE, /* something decides that cannot be asked: neither yes nor no is known */
    ADMISSION_ENDANGERS, /* it is admitted now; but not for long, or not as the lease says */
    ADMISSION_NOT_ASKED, /* a part that was not asked: what was asked may still admit it */
};

struct admission_finding {
    enum admission_layer layer;
    enum admission_effect effect;
    const char *rule; /* for scripts, a string constant: allow_users, nologin, ... */
    struct buf what, why, mend;
};

/* A zeroed one is empty. failed: memory ran out, and findings are missing. */
struct admission_findings {
    struct admission_finding *items; /* owned */
    size_t count, cap;
    bool failed;
};

/* Begins a finding. The text is a clause for people, without a full stop. */
void finding_add(struct admission_findings *f, enum admission_layer layer,
                 enum admission_effect effect, const char *rule, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* Each completes the finding that was added last. */
void finding_why(struct admission_findings *f, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void finding_mend(struct admission_findings *f, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The first finding with this effect, or NULL. */
const struct admission_finding *finding_first(const struct admission_findings *f,
                                              enum admission_effect effect);

/* Releases the findings, and leaves none. */
void findings_release(struct admission_findings *f);

#endif
