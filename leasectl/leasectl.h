/* SPDX-License-Identifier: ISC */
/* What every verb of leasectl shares: the run's settings, exit codes, errors, the open store. */
#ifndef TUNLEASE_LEASECTL_LEASECTL_H
#define TUNLEASE_LEASECTL_LEASECTL_H

#include "lib/base/privilege.h"
#include "lib/conf/conf.h"
#include "lib/lease/lease.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

/* CONTRACT 2. */
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

/* A verb: its arguments start at argv[1]. Returns an exit_code. */
struct verb {
    const char *name;
    int (*run)(struct ctl *ctl, int argc, char **argv);
    const char *usage; /* after "leasectl " */
    const char *help;  /* what it does and its options */
};
extern const struct verb verbs[];

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

/*
 * Opens the store as its directory's owner (privilege.h); ctl_close gives both back. To write,
 * what is missing is made: as root the directory with the owners and modes of CONTRACT 9.
 * EXIT_DONE, or the exit code with the error printed.
 */
int ctl_open_read(struct ctl *ctl);
int ctl_open_write(struct ctl *ctl);
void ctl_close(struct ctl *ctl);
int ctl_store_error(const struct ctl *ctl, enum store_rc rc); /* prints; EXIT_STORE */

/* Whether leased holds its lock on this store. */
bool ctl_leased_runs(const struct ctl *ctl);

/* How long a freed port is kept for its former holder: for ever, within an hour after the clock was
 * set, since what has ended by a clock like that may not have. With the store open. */
int64_t ctl_quarantine_s(const struct ctl *ctl);
/* To be added where that left none: "" in other times. */
const char *ctl_quarantine_why(const struct ctl *ctl);

struct store_actor ctl_actor(const struct ctl *ctl);

/* NAME, or #17. EXIT_DONE and *ret, to be released; or the exit code, printed. */
int ctl_find_lease(struct ctl *ctl, const char *ref, struct lease *ret);

/* The next option of a verb, getopt_long(3) with this short form; -1 at the end, '?' after an
 * error was printed. */
struct option;
int ctl_option(const struct ctl *ctl, int argc, char **argv, const struct option *options);
/* opt, as a getopt_long(3) that was told to be silent returned it; '?' after an error was printed.
 */
int ctl_checked_option(const struct ctl *ctl, int opt, int argc, char **argv);

/* ---- the verbs ---- */
int cmd_agent(struct ctl *ctl, int argc, char **argv);
int cmd_agents(struct ctl *ctl, int argc, char **argv);
int cmd_delete(struct ctl *ctl, int argc, char **argv);
int cmd_doctor(struct ctl *ctl, int argc, char **argv);
int cmd_explain(struct ctl *ctl, int argc, char **argv);
int cmd_freeze(struct ctl *ctl, int argc, char **argv);
int cmd_grant(struct ctl *ctl, int argc, char **argv);
int cmd_key(struct ctl *ctl, int argc, char **argv);
int cmd_kill(struct ctl *ctl, int argc, char **argv);
int cmd_list(struct ctl *ctl, int argc, char **argv);
int cmd_login(struct ctl *ctl, int argc, char **argv);
int cmd_renew(struct ctl *ctl, int argc, char **argv);
int cmd_revoke(struct ctl *ctl, int argc, char **argv);
int cmd_sessions(struct ctl *ctl, int argc, char **argv);
int cmd_set(struct ctl *ctl, int argc, char **argv);
int cmd_setup(struct ctl *ctl, int argc, char **argv);
int cmd_show(struct ctl *ctl, int argc, char **argv);
int cmd_sshd_config(struct ctl *ctl, int argc, char **argv);
int cmd_thaw(struct ctl *ctl, int argc, char **argv);
int cmd_token(struct ctl *ctl, int argc, char **argv);
int cmd_verify(struct ctl *ctl, int argc, char **argv);

#endif
