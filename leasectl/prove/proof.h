/* SPDX-License-Identifier: ISC */
/* One run of leasectl prove: its time, and what came of each trial. */
#ifndef TUNLEASE_LEASECTL_PROVE_PROOF_H
#define TUNLEASE_LEASECTL_PROVE_PROOF_H

#include "leasectl/ctl.h"
#include "leasectl/probe/outcomes.h"
#include "leasectl/prove/trials.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PROOF_MS = 60000,         /* in all */
    PROOF_TRIALS_MS = 45000,  /* nothing is begun after that: an attempt takes up to ten seconds */
    PROOF_RESULTS_MAX = 4096, /* more are counted as lost, and nothing passes then */
    PROOF_EVIDENCE_BYTES = 1024,
};

struct proof_result {
    const struct trial *trial;
    char *what; /* owned, as evidence is: what was tried */
    char *evidence;
    enum outcome outcome;
};

struct proof {
    struct ctl *ctl;
    int64_t begun_ms;             /* of clock_monotonic_ms */
    struct proof_result *results; /* owned; in the order in which they came */
    size_t count, room;
    bool lost; /* a result was not kept: memory ran out, or there were too many */
};

void proof_init(struct proof *p, struct ctl *ctl);
void proof_release(struct proof *p);

/* SIGINT, SIGTERM and SIGHUP only set proof_interrupted: what was made is then removed. */
void proof_catch_signals(void);
bool proof_interrupted(void);

/* True while something new may be begun. */
bool proof_has_time(const struct proof *p);
/* Milliseconds since the run began. */
int64_t proof_elapsed_ms(const struct proof *p);

/* Adds what came of a trial. what: for which login or file, for people. */
void proof_add(struct proof *p, const char *id, const char *what, enum outcome outcome,
               const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* Adds one result of a trial that was made of several parts: FAIL with the part that is wrong, as
 * `bad` has it; else pass with `good`. */
void proof_judge(struct proof *p, const char *id, const char *what, const char *bad,
                 const char *good);

/* Adds that each of the trials of ids, which have no result yet, was not run, and why. The list
 * ends with NULL. */
void proof_not_run(struct proof *p, const char *const ids[], const char *why);

/* The same for all trials. */
void proof_finish(struct proof *p);

/* The worst result of a trial: FAIL, else not run, else pass. Not run: there is none. */
enum outcome proof_outcome(const struct proof *p, const char *id);

/* Shows on a terminal what is being done; "" clears the line. */
void proof_show_progress(const struct proof *p, const char *what);

#endif
