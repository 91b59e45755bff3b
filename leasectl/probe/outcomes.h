/* SPDX-License-Identifier: ISC */
/* What verify has found: a row for each thing that it tried. */
#ifndef TUNLEASE_LEASECTL_PROBE_OUTCOMES_H
#define TUNLEASE_LEASECTL_PROBE_OUTCOMES_H

#include "leasectl/ctl.h"
#include "leasectl/show/table.h"
#include "lib/base/buf.h"

enum outcome { OUTCOME_PASS, OUTCOME_FAIL, OUTCOME_NOT_RUN };

struct outcomes {
    const struct ctl *ctl;
    struct table table;
    struct buf json;
    unsigned rows, not_passed;
};

void outcomes_init(struct outcomes *o, const struct ctl *ctl);

/* check: A to E, as in leasectl(1), or '-'. */
void outcomes_add(struct outcomes *o, char check, const char *what, enum outcome outcome,
                  const char *evidence);

/* As table_show (leasectl/show/table.h). */
int outcomes_print(const struct outcomes *o);
void outcomes_release(struct outcomes *o);

/* Shows on a terminal what is being tried; "" clears the line. */
void outcomes_show_progress(const char *what);

#endif
