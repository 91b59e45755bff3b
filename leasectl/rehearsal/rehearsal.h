/* SPDX-License-Identifier: ISC */
/*
 * A rehearsal: the change of a command is made in a transaction and rolled back, and the live
 * sessions are judged in between, by the code that judges them after the real change
 * (leasectl/sessions/affected.h). --dry-run prints what it finds. Before a real change it is made
 * where the admin's own connection may run through a session that ends, to ask first.
 */
#ifndef TUNLEASE_LEASECTL_REHEARSAL_REHEARSAL_H
#define TUNLEASE_LEASECTL_REHEARSAL_REHEARSAL_H

#include "leasectl/ctl.h"
#include "leasectl/sessions/affected.h"
#include "lib/session/session_list.h"

#include <stdbool.h>

struct lease;

/* The options of each command that rehearses, for its struct option[] and its loop. */
struct rehearsal_options {
    bool dry_run, yes;
};
#define REHEARSAL_OPTIONS                                                                          \
    {"dry-run", no_argument, NULL, 'D'},                                                           \
    {                                                                                              \
        "yes", no_argument, NULL, 'Y'                                                              \
    }
bool rehearsal_take_option(struct rehearsal_options *o, int opt); /* false: it is another one */

/*
 * To be called before the real change. change: makes it, with ctl->rehearsal set. It opens the
 * store, commits by rehearsal_commit alone, reports by the functions below, and prints nothing but
 * errors. Changes nothing; closes the store.
 *
 * *ret_go_on: make the real change now. Else return the exit code: of a dry run, or because the
 * admin said no, or because nobody could be asked.
 */
typedef int (*rehearsal_fn)(struct ctl *ctl, void *ctx);
int rehearse(struct ctl *ctl, const struct rehearsal_options *o, rehearsal_fn change, void *ctx,
             bool *ret_go_on);

/* ---- for change ---- */

/* Commits; in a rehearsal does not. Prints no error. */
enum store_rc rehearsal_commit(struct ctl *ctl);

/*
 * Each does nothing outside a rehearsal. All return EXIT_DONE, or the exit code with the error
 * printed.
 *
 * rehearsal_note_lease: the lease changes. what: revoke, delete, set or remove-key; detail: "", or
 * a clause for people. Reads from the store what it is after the change. rehearsal_note_freeze: the
 * login ("*": all) lets nobody in any more. rehearsal_note_restored: what a restore makes of a
 * lease
 * ("": a freeze), a word and a clause.
 */
int rehearsal_note_lease(struct ctl *ctl, const char *what, const struct lease *before,
                         const char *detail);
int rehearsal_note_freeze(struct ctl *ctl, const char *login, bool already);
int rehearsal_note_restored(struct ctl *ctl, const char *what, int64_t id, const char *name,
                            const char *login, const char *detail);

/* Judges the live sessions by the store with the change in it. */
int rehearsal_judge(struct ctl *ctl, const struct enforce_scope *scope);

/* These sessions end, whatever the store permits. Leaves list empty. */
int rehearsal_take(struct ctl *ctl, struct session_list *list);

#endif
