/* SPDX-License-Identifier: ISC */
/*
 * The connections that sshd is asked about for one login: from this host, from outside, from where
 * its leases may be used, to each port; and one for each address, name and port that a Match line
 * tells apart. So a block that holds for some clients only is found as well.
 */
#ifndef TUNLEASE_LEASECTL_DOCTOR_CONNECTIONS_H
#define TUNLEASE_LEASECTL_DOCTOR_CONNECTIONS_H

#include "leasectl/doctor/report.h"
#include "leasectl/host/sshd_settings.h"

enum { CONNECTIONS_MAX = 128 };

struct connections {
    struct sshd_connection items[CONNECTIONS_MAX]; /* the first: from 127.0.0.1 to the first port */
    size_t count;
    size_t left_out; /* there were more */
};

/* login must outlive ret. */
void connections_for(const struct doctor_run *d, const char *login, struct connections *ret);

/* Adds how c differs from the first: ` from 192.0.2.1 to port 2222`; nothing for the first. */
void connection_add_words(const struct connections *all, const struct sshd_connection *c,
                          struct buf *out);

#endif
