/* SPDX-License-Identifier: ISC */
/* What every verb of leasectl shares: the settings of this run, exit codes, messages, options. */
#ifndef TUNLEASE_LEASECTL_CTL_H
#define TUNLEASE_LEASECTL_CTL_H

#include "lib/base/privilege.h"
#include "lib/conf/conf.h"
#include "lib/store/probes.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct rehearsal;
struct store;

/* Described in leasectl(1), EXIT STATUS. */
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
    bool conf_is_partial; /* wrong lines of it were left out */
    bool json;
    bool terminal; /* standard output is a terminal */
    bool colour;
    bool muted; /* print no errors and no warnings: the same is done again, and prints them then */
    bool quiet; /* do not print how many sessions were ended: verify has a row for it */
    int64_t now_s;
    char actor[192]; /* who runs this, for the audit */
    struct store *store;
    char no_answer[STORE_ERROR_BYTES]; /* why ctl_open_read_silently asks no more; "": it asks */
    struct privilege privilege;        /* the identity to restore when the store is closed */
    char changed[256];                 /* the last message of ctl_changed; "": none yet */
    unsigned changes;
    int64_t abandoned[PROBES_AT_ONCE]; /* probes that were deleted since the store is open */
    size_t abandoned_count;
    struct rehearsal *rehearsal; /* while a change is only rehearsed; else NULL */
};

/* The path of the configuration file that this run uses, for messages. */
const char *ctl_conf_name(const struct ctl *ctl);

/* Prints "leasectl: VERB: ..." on standard error, as one line, escaped for a terminal. Returns
 * code. Pass an argument that may have any length as text_clip(...).s. */
int ctl_error(const struct ctl *ctl, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The same with "warning: " before the message. */
void ctl_warn(const struct ctl *ctl, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Prints why, and where the usage is shown. EXIT_USAGE. */
int ctl_usage(const struct ctl *ctl, const char *why);

/* Remembers a change that is committed, in the words that are printed for it ("revoked 'alice'
 * (#1)"); not in a rehearsal. If the output cannot be written, ctl_finish says in its error what
 * was changed. */
void ctl_changed(struct ctl *ctl, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Flushes standard output, and returns code. If the output could not be written, prints an error
 * and returns EXIT_FAILED in place of EXIT_DONE. */
int ctl_finish(const struct ctl *ctl, int code);

/* The next option of a verb, as getopt_long(3) returns it: -1 at the end, '?' for an error, which
 * was printed. */
struct option;
int ctl_option(const struct ctl *ctl, int argc, char **argv, const struct option *options);

/* For the opt of a getopt_long(3) that prints no errors itself: if it is '?' or ':', prints the
 * error, with the option that was meant where one is near, and returns '?'; else returns opt. */
int ctl_checked_option(const struct ctl *ctl, int opt, int argc, char **argv,
                       const struct option *options);

/* The names of the options that stand before and after every command; ends with NULL. */
extern const char *const ctl_common_options[];

#endif
