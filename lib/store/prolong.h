/* SPDX-License-Identifier: ISC */
/* The lease of `leasectl run`, which lasts as long as a process: it ends within a minute, and is
 * given another minute again and again. */
#ifndef TUNLEASE_STORE_PROLONG_H
#define TUNLEASE_STORE_PROLONG_H

#include "lib/store/actor.h"
#include "lib/store/conflict.h"
#include "lib/store/store.h"

#include <stdint.h>

struct lease;

/*
 * As store_lease_add; its audit row says `run`, and the command's name. Between store_begin and
 * store_commit, as the next one.
 *
 * A run that was killed together with its keeper has left a lease that nobody gave back. Where that
 * one is over, has this name, this login and this key alone, is what was granted then, and is not
 * frozen, it is revoked first, and the row of the new one names it. *ret_left: that lease as it
 * was, the caller's to release whatever is returned; its id is 0 where there is none. Whether a run
 * has made it, only the audit knows.
 */
enum store_rc store_lease_run(struct store *st, const struct lease *l, const char *command,
                              int64_t quarantine_s, const struct store_actor *by, int64_t *ret_id,
                              struct lease *ret_left, struct store_conflict *ret_conflict);

/* Why a lease may not be prolonged. */
enum prolong_refusal {
    PROLONG_DELETED,
    PROLONG_REVOKED,
    PROLONG_FROZEN,      /* its login, or all */
    PROLONG_ANOTHER_END, /* somebody renewed it, or a restore took its end back */
    PROLONG_CHANGED,     /* its permits or keys */
};

/*
 * Moves the end of a lease, without an audit row: to expires_s, be it later or earlier. as: the
 * lease as it was read at first, with the end that it was given last; nobody else may have changed
 * it. A lease that is over by the clock gets its ports back; the caller knows by a clock that does
 * not jump whether its time is over. STORE_NONE: it may not be prolonged, and *ret_why says why.
 * STORE_CONFLICT: another lease has one of its ports now.
 */
enum store_rc store_lease_prolong(struct store *st, const struct lease *as, int64_t expires_s,
                                  int64_t quarantine_s, int64_t now_s,
                                  enum prolong_refusal *ret_why);

/* Whether it may still be prolonged; changes nothing. STORE_OK, or STORE_NONE as above. */
enum store_rc store_lease_may_prolong(struct store *st, const struct lease *as,
                                      enum prolong_refusal *ret_why);

#endif
