/* SPDX-License-Identifier: ISC */
/*
 * The one table of attempts: what a holder of a tunnel key might try, each made with the real ssh
 * client against the running sshd, and judged by what came back. leasectl verify, the end-to-end
 * tests and the demo all run these.
 *
 * An attempt that must be refused aims at something that would answer: a refusal then shows the
 * policy, not a dead service.
 */
#ifndef TUNLEASE_LEASECTL_PROBE_ATTEMPT_H
#define TUNLEASE_LEASECTL_PROBE_ATTEMPT_H

#include "leasectl/probe/target.h"
#include "leasectl/probe/verdict.h"

#include <stdbool.h>
#include <stddef.h>

struct attempt {
    const char *id;   /* such as "other-port" */
    char check;       /* A, B or C, as in verify */
    bool must_allow;  /* else it must be refused */
    const char *what; /* for people */
};

extern const size_t attempt_count;

const struct attempt *attempt_at(size_t i); /* i below attempt_count */

/* Its number, or -1. */
int attempt_find(const char *id);

/* Makes attempt number i. Takes up to ten seconds. */
enum attempt_verdict attempt_make(size_t i, const struct attempt_target *target,
                                  char evidence[static ATTEMPT_EVIDENCE_BYTES]);

#endif
