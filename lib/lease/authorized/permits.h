/* SPDX-License-Identifier: ISC */
/* The values of permitopen= and permitlisten=. Pure but for /etc/services. */
#ifndef TUNLEASE_LEASE_AUTHORIZED_PERMITS_H
#define TUNLEASE_LEASE_AUTHORIZED_PERMITS_H

#include "lib/lease/authorized/authorized.h"

enum authorized_permit_rc {
    AUTHORIZED_PERMIT_OK,
    AUTHORIZED_PERMIT_REFUSED, /* *ret_why: a clause */
    AUTHORIZED_PERMIT_MEMORY,
};

/* Adds the permit that value names, as sshd reads it. listen: a port alone is allowed. */
enum authorized_permit_rc authorized_permits_add(struct authorized_permits *permits,
                                                 const char *value, bool listen,
                                                 const char **ret_why);
void authorized_permits_release(struct authorized_permits *permits);

#endif
