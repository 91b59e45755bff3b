/* SPDX-License-Identifier: ISC */
/*
 * The tunnel logins, while sshd is asked about the connections of each, one after the other. What
 * is wrong for several of them is one finding.
 */
#ifndef TUNLEASE_LEASECTL_DOCTOR_ASKED_H
#define TUNLEASE_LEASECTL_DOCTOR_ASKED_H

#include "leasectl/doctor/connections.h"
#include "leasectl/doctor/report.h"

/* A setting that is not as the Match blocks say. */
struct wrong_setting {
    enum result result;
    const char *check, *why;      /* string constants */
    struct buf logins;            /* `'pfwd', 'gw-tunnel'` */
    struct buf from;              /* from which clients, to which port; empty: from everywhere */
    struct buf what;              /* what is so, and where its line stands */
    const struct sshd_line *line; /* NULL: it cannot be told */
};

struct asked {
    struct doctor_run *d;
    struct wrong_setting *wrongs; /* owned */
    size_t wrong_count, wrong_cap;
    /* the login that is asked about, one of its connections, and what sshd -T prints for that */
    const struct connections *all;
    const struct sshd_connection *c;
    const struct buf *effective;
    bool joins;     /* it is JoinLogin, and no tunnel login */
    unsigned wrong; /* settings of this login that are not as the Match blocks say */
    /* of all logins */
    unsigned
        dead_peer_s; /* the longest time until a vanished client is dropped, where it is ours */
    bool dead_peer_wrong;
    bool channels_said; /* that ChannelTimeout cuts connections */
    bool lost;          /* something was not asked, or is not reported: there were too many, or no
                           memory */
};

/*
 * Adds that a setting is wrong, to be reported at the end. keyword: in lower case, to find its
 * line; the text says what is so. Nothing is added when the line is one of setup's drop-in that is
 * not what setup would write: a finding of its own says so.
 */
void asked_add_wrong(struct asked *a, enum result result, const char *check, const char *keyword,
                     const char *why, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/* Reports them, and releases them. */
void asked_report(struct asked *a);

/* time_checks.c. How long sshd keeps a client that has vanished, and a tunnel that is idle. */
bool times_are_set_by(const char *keyword); /* then the general comparison leaves it out */
void check_times(struct asked *a);
void report_times(const struct asked *a);

#endif
