/* SPDX-License-Identifier: ISC */
/* Where verify connects to, and from which addresses. */
#ifndef TUNLEASE_LEASECTL_PROBE_DESTINATION_H
#define TUNLEASE_LEASECTL_PROBE_DESTINATION_H

#include "leasectl/ctl.h"
#include "leasectl/host/sshd.h"
#include "lib/lease/source.h"

#include <stdbool.h>
#include <stdint.h>

enum { DESTINATION_HOST_BYTES = 64, DESTINATION_SOURCE_BYTES = 16 };

struct destination {
    struct sshd sshd;
    char host[DESTINATION_HOST_BYTES]; /* an address */
    uint16_t port;
    /* The address from which the kernel connects to host; "": host is none of this host's
     * addresses, so what sshd sees is not known. */
    char from[DESTINATION_HOST_BYTES];
    /*
     * An address of 127.0.0.0/8 for the logins that sshd is to refuse; "": there is none. From
     * OpenSSH 9.8 on an address with refused logins is shut out for a while (PerSourcePenalties),
     * and 127.0.0.1 is that of others, too.
     */
    char source[DESTINATION_SOURCE_BYTES];
};

/*
 * Finds it. host: a name or an address; NULL: where sshd listens. port 0: sshd's own. Where neither
 * is named, sshd says it itself (`sshd -T`), or the socket unit that starts it. EXIT_DONE, or the
 * exit code with the error printed.
 */
int destination_find(struct ctl *ctl, const char *host, uint16_t port, struct destination *ret);

/* The addresses from which attempts come; none: they cannot be known, and anybody is admitted. */
void destination_sources(const struct destination *d, struct source_list *ret);

#endif
