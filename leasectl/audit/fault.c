/* SPDX-License-Identifier: ISC */
#include "leasectl/audit/fault.h"

#include "lib/base/buf.h"

#include <inttypes.h>
#include <stddef.h>

const char *audit_fault_name(enum audit_fault fault)
{
    static const char *const names[] = {
        [AUDIT_INTACT] = NULL,         [AUDIT_CHANGED] = "changed", [AUDIT_MISSING] = "missing",
        [AUDIT_INSERTED] = "inserted", [AUDIT_MOVED] = "moved",     [AUDIT_ANCHOR] = "anchor"};
    return names[fault];
}

static void describe_missing(const struct audit_report *r, struct buf *out)
{
    int64_t last = r->broken_seq - 1;
    if (r->other_seq == 0)
        buf_addf(out,
                 "rows before row %" PRId64 " are missing, and it and the later ones have new "
                 "numbers",
                 r->broken_seq);
    else if (r->other_seq == last)
        buf_addf(out, "row %" PRId64 " is missing before row %" PRId64, last, r->broken_seq);
    else
        buf_addf(out, "rows %" PRId64 " to %" PRId64 " are missing before row %" PRId64,
                 r->other_seq, last, r->broken_seq);
}

void audit_fault_describe(const struct audit_report *r, struct buf *out)
{
    switch (r->fault) {
    case AUDIT_MISSING:
        describe_missing(r, out);
        break;
    case AUDIT_INSERTED:
        buf_addf(out, "row %" PRId64 " was put in", r->broken_seq);
        break;
    case AUDIT_MOVED:
        buf_addf(out, "row %" PRId64 " is out of order: it was written as row %" PRId64,
                 r->broken_seq, r->other_seq);
        break;
    case AUDIT_ANCHOR:
        buf_addf(out,
                 "row %" PRId64 " does not follow what was pruned: the anchor in row %" PRId64
                 " was changed",
                 r->broken_seq, r->other_seq);
        break;
    case AUDIT_INTACT:
    case AUDIT_CHANGED:
        buf_addf(out, "row %" PRId64 " was changed, or does not follow the row before it",
                 r->broken_seq);
        break;
    }
}
