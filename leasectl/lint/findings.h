/* SPDX-License-Identifier: ISC */
/* What is wrong with a line of authorized_keys, or not what its writer may think. */
#ifndef TUNLEASE_LEASECTL_LINT_FINDINGS_H
#define TUNLEASE_LEASECTL_LINT_FINDINGS_H

#include "lib/lease/authorized/authorized.h"
#include "lib/lease/authorized/seen.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LINT_FINDINGS_MAX = 24, /* of one line: more than there are kinds that go together */
    LINT_WHAT_BYTES = 512,
};

struct lint_finding {
    const char *name;           /* one of docs/schema/lint.json */
    char what[LINT_WHAT_BYTES]; /* a clause, escaped */
    const char *why;            /* a clause */
    const char *mend;           /* what to do; NULL: nothing helps, or needs to */
};

struct lint_findings {
    struct lint_finding items[LINT_FINDINGS_MAX];
    size_t count;
    bool reached; /* the line admits somebody: it is a key or an authority, not over, and not behind
                     another that always takes the key */
};

/* Finds in l, a line of which `earlier` is the first with the same key. */
void lint_line(const struct authorized_line *l, const struct authorized_earlier *earlier,
               int64_t now_s, struct lint_findings *ret);

/* Adds one. Text that comes from the file is cut with text_clip; all is escaped here. */
void lint_add(struct lint_findings *f, const char *name, const char *why, const char *mend,
              const char *what, ...) __attribute__((format(printf, 5, 6)));

#endif
