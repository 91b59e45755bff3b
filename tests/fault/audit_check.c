/* SPDX-License-Identifier: ISC */
/* audit_check DATABASE: prints the number of audit rows; exit 1 when the audit chain is broken. */
#include "lib/store/audit_verify.h"
#include "lib/store/connection.h"
#include "lib/store/open_read.h"
#include "lib/store/store.h"

#include <err.h>
#include <inttypes.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    char why[STORE_ERROR_BYTES];
    struct audit_report report;
    struct store *st = NULL;

    if (argc != 2)
        errx(2, "usage: audit_check DATABASE");
    if (store_open_read(argv[1], &st, why) != STORE_OK)
        errx(1, "%s", why);
    if (audit_verify(st, &report) != STORE_OK)
        errx(1, "%s", store_error(st));
    store_close(st);
    if (report.broken_seq != 0)
        errx(1, "the audit chain is broken at row %" PRId64, report.broken_seq);
    return printf("%" PRId64 "\n", report.rows) < 0 ? 1 : 0;
}
