/* SPDX-License-Identifier: ISC */
/*
 * One line of an authorized_keys file on its way to become a lease (leasectl import). A lease never
 * allows more than its line: what cannot be kept as it is, is narrowed or left out, and said.
 */
#ifndef TUNLEASE_LEASECTL_MOVING_MOVE_H
#define TUNLEASE_LEASECTL_MOVING_MOVE_H

#include "leasectl/ctl.h"
#include "lib/base/buf.h"
#include "lib/lease/authorized/authorized.h"
#include "lib/lease/lease.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum move_result {
    MOVE_NOTHING,  /* a blank line or a comment */
    MOVE_LEASE,    /* becomes a lease */
    MOVE_THERE,    /* its key holds this very lease already */
    MOVE_DEAD,     /* sshd passes over it */
    MOVE_OVER,     /* its end has passed */
    MOVE_REPEATED, /* an earlier line has its key, and sshd never gets to this one */
    MOVE_CLOSED,   /* opens no port, so a lease of it would open nothing */
    MOVE_REFUSED,  /* lets somebody in today, and cannot be kept */
    MOVE_CONFLICT, /* the same, for its key or its port is another lease's */
    MOVE_RESULT__MAX
};
const char *move_result_name(enum move_result result); /* nothing, lease, there, dead, ... */

/* True for a line that lets somebody in today, and is left out. */
bool move_result_is_loss(enum move_result result);

struct move {
    size_t line; /* from 1 */
    enum move_result result;
    struct authorized_line today;
    struct lease lease; /* MOVE_LEASE and MOVE_THERE: with its one key */
    struct buf why;     /* not MOVE_LEASE: a clause */
    struct buf lost;    /* what the lease does not allow any more, a clause a line */
    struct buf notes;   /* what else is different, the same */
    bool renamed;       /* the name of its comment was taken */
    bool is_ours;       /* the line is what akc prints for a lease of that name */
    bool is_second_key; /* MOVE_LEASE: another line has made the lease, whose id lease has */
};

struct move_terms {
    const struct conf *conf;
    const char *login;
    int64_t now_s;
    int64_t expires_s; /* of lines without an end of their own */
    bool
        is_zone_unknown; /* sshd's: an end in local time may be hours away from what is read here */
};

/*
 * Reads the len bytes of a line, and sets the terms of its lease but the name. 0; or -1: out of
 * memory. Release *ret in any case.
 */
int move_read(const struct move_terms *terms, size_t number, const char *line, size_t len,
              struct move *ret);
void move_release(struct move *m);

/* Changes the result to one other than MOVE_LEASE, and says why. */
void move_refuse(struct move *m, enum move_result result, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds what sshd allows by the line today, for people; and what the lease allows. Both are words
 * like `-L 127.0.0.1:8009; any -R`. */
void move_add_today(const struct move *m, struct buf *out);
void move_add_lease(const struct move *m, struct buf *out);

#endif
