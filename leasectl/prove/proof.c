/* SPDX-License-Identifier: ISC */
#include "leasectl/prove/proof.h"

#include "lib/base/array.h"
#include "lib/base/clock.h"
#include "lib/base/text.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

static void interrupt(int sig)
{
    (void)sig;
    interrupted = 1;
}

void proof_catch_signals(void)
{
    const struct sigaction on_interrupt = {.sa_handler = interrupt};
    (void)sigaction(SIGINT, &on_interrupt, NULL);
    (void)sigaction(SIGTERM, &on_interrupt, NULL);
    (void)sigaction(SIGHUP, &on_interrupt, NULL);
}

bool proof_interrupted(void)
{
    return interrupted != 0;
}

void proof_init(struct proof *p, struct ctl *ctl)
{
    *p = (struct proof){.ctl = ctl, .begun_ms = clock_monotonic_ms()};
}

void proof_release(struct proof *p)
{
    for (size_t i = 0; i < p->count; i++) {
        free(p->results[i].what);
        free(p->results[i].evidence);
    }
    free(p->results);
    *p = (struct proof){.count = 0};
}

int64_t proof_elapsed_ms(const struct proof *p)
{
    return clock_monotonic_ms() - p->begun_ms;
}

bool proof_has_time(const struct proof *p)
{
    return !proof_interrupted() && proof_elapsed_ms(p) < PROOF_TRIALS_MS;
}

static void add(struct proof *p, const struct trial *trial, const char *what, enum outcome outcome,
                const char *evidence)
{
    struct proof_result *items =
        array_grow(p->results, p->count, &p->room, sizeof(*items), PROOF_RESULTS_MAX);
    struct proof_result r = {.trial = trial, .outcome = outcome};
    if (items != NULL) {
        p->results = items;
        r.what = strdup(what);
        r.evidence = strdup(evidence);
    }
    if (trial == NULL || r.what == NULL || r.evidence == NULL) {
        free(r.what);
        free(r.evidence);
        p->lost = true;
        return;
    }
    items[p->count++] = r;
}

void proof_add(struct proof *p, const char *id, const char *what, enum outcome outcome,
               const char *fmt, ...)
{
    char raw[PROOF_EVIDENCE_BYTES], evidence[PROOF_EVIDENCE_BYTES];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(raw, sizeof(raw), fmt, ap);
    va_end(ap);
    (void)text_escape(evidence, sizeof(evidence), raw);
    add(p, trial_find(id), what, outcome, evidence);
}

void proof_judge(struct proof *p, const char *id, const char *what, const char *bad,
                 const char *good)
{
    if (bad == NULL || *bad == '\0')
        proof_add(p, id, what, OUTCOME_PASS, "%s", good);
    else
        proof_add(p, id, what, OUTCOME_FAIL, "%s", bad);
}

static bool has_result(const struct proof *p, const char *id)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->results[i].trial->id, id) == 0)
            return true;
    return false;
}

void proof_not_run(struct proof *p, const char *const ids[], const char *why)
{
    for (size_t i = 0; ids[i] != NULL; i++)
        if (!has_result(p, ids[i]))
            proof_add(p, ids[i], "all of it", OUTCOME_NOT_RUN, "%s", why);
}

void proof_finish(struct proof *p)
{
    for (size_t i = 0; i < trial_count; i++)
        proof_not_run(p, (const char *const[]){trials[i].id, NULL},
                      proof_has_time(p) ? "what it needs was not there" : "out of time");
}

enum outcome proof_outcome(const struct proof *p, const char *id)
{
    bool passed = false, not_run = false;
    for (size_t i = 0; i < p->count; i++) {
        if (strcmp(p->results[i].trial->id, id) != 0)
            continue;
        if (p->results[i].outcome == OUTCOME_FAIL)
            return OUTCOME_FAIL;
        passed = passed || p->results[i].outcome == OUTCOME_PASS;
        not_run = not_run || p->results[i].outcome == OUTCOME_NOT_RUN;
    }
    return passed && !not_run ? OUTCOME_PASS : OUTCOME_NOT_RUN;
}

void proof_show_progress(const struct proof *p, const char *what)
{
    if (isatty(STDERR_FILENO) != 1)
        return;
    if (*what == '\0')
        (void)fputs("\r\033[K", stderr);
    else
        (void)fprintf(stderr, "\r\033[K%2d s: %s", (int)(proof_elapsed_ms(p) / 1000), what);
}
