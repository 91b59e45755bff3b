/* SPDX-License-Identifier: ISC */
/* What every verb of leasectl shares: the settings of this run, exit codes, messages, options. */
#ifndef TUNLEASE_LEASECTL_CTL_H
#define TUNLEASE_LEASECTL_CTL_H

#include "lib/base/privilege.h"
#include "lib/conf/conf.h"

#include <stdbool.h>
#include <stdint.h>

struct store;

/* leasectl(1). */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1, /* failed, or a check found something */
    EXIT_USAGE = 2,  /* wrong usage, malformed input */
    EXIT_NO_SUCH = 3,
    EXIT_CEILING = 4,
    EXIT_CONFLICT = 5,
    EXIT_STILL_UP = 6,
    EXIT_STORE = 7,
};

struct ctl {
    const char *verb;      /* NULL before it is known */
    const char *conf_file; /* NULL: the default one */
    struct conf conf;
    bool conf_is_partial; /* a line of it is wrong, and was left out */
    bool json;
    bool terminal; /* standard output is one */
    bool colour;
    bool quiet; /* what is ended is not said: it is part of something else */
    int64_t now_s;
    char actor[192]; /* who runs this, for the audit */
    struct store *store;
    struct privilege privilege; /* taken while the store is open */
    char changed[256];          /* what ctl_changed last said; "": nothing yet */
    unsigned changes;
};

/* "leasectl: VERB: ..." on standard error, one line fit for a terminal; returns code. What may be
 * of any length and is only repeated goes in as text_clip(...).s. */
int ctl_error(const struct ctl *ctl, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

void ctl_warn(const struct ctl *ctl, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

int ctl_usage(const struct ctl *ctl, const char *why); /* with the verb's usage line; EXIT_USAGE */

/* What is changed now and stays so, as it is said to people ("revoked 'alice' (#1)"): should the
 * output be lost, the error says that much. */
void ctl_changed(struct ctl *ctl, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* EXIT_FAILED when standard output could not take all of it, else code. */
int ctl_finish(const struct ctl *ctl, int code);

/* The next option of a verb, getopt_long(3) with this short form; -1 at the end, '?' after an
 * error was printed. */
struct option;
int ctl_option(const struct ctl *ctl, int argc, char **argv, const struct option *options);
/* opt, as a getopt_long(3) that was told to be silent returned it; '?' after an error was printed.
 */
int ctl_checked_option(const struct ctl *ctl, int opt, int argc, char **argv);

#endif
