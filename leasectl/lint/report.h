/* SPDX-License-Identifier: ISC */
/* Prints what lint finds, line by line: for a terminal, in columns, or as JSON. */
#ifndef TUNLEASE_LEASECTL_LINT_REPORT_H
#define TUNLEASE_LEASECTL_LINT_REPORT_H

#include "leasectl/ctl.h"
#include "leasectl/lint/findings.h"

#include <stdbool.h>

struct lint_report {
    const struct ctl *ctl;
    unsigned long lines, keys, authorities, dead, over, repeated, unread, findings;
    unsigned long printed;
};

void lint_report_begin(struct lint_report *r, const struct ctl *ctl);

/* Prints one line, unless there is nothing to say of it: a blank one without findings. False: out
 * of memory. */
bool lint_report_line(struct lint_report *r, unsigned long line_no, const struct authorized_line *l,
                      const struct lint_findings *f);

/* Ends the JSON; on a terminal prints what it comes to, if the file was read to its end. */
void lint_report_end(const struct lint_report *r, bool complete);

#endif
