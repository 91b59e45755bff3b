/* SPDX-License-Identifier: ISC */
/* The file that a report is written to. */
#ifndef TUNLEASE_LEASECTL_PROVE_REPORT_FILE_H
#define TUNLEASE_LEASECTL_PROVE_REPORT_FILE_H

#include "leasectl/ctl.h"
#include "lib/base/buf.h"

/* Both return EXIT_DONE, or the exit code with the error printed. */

/* Says beforehand whether it could be written: nothing may be there, and its directory must take
 * new files. Leaves nothing behind. */
int report_file_check(const struct ctl *ctl, const char *path);

/* Writes signature (may be empty) and text, mode 0600, first to a new name beside path. So path is
 * the whole report or is not there, and nothing that is there is replaced. */
int report_file_write(const struct ctl *ctl, const char *path, const struct buf *signature,
                      const struct buf *text);

#endif
