/* SPDX-License-Identifier: ISC */
/* What the kernel does with ports by itself, as sysctl(8) sets it (ip(7)). */
#ifndef TUNLEASE_LEASECTL_HOST_KERNEL_PORTS_H
#define TUNLEASE_LEASECTL_HOST_KERNEL_PORTS_H

#include "lib/base/port_set.h"

struct kernel_ports {
    uint16_t local_low, local_high; /* given to connections that ask for no port */
    struct port_set reserved;       /* of those, never given */
    unsigned first_unprivileged;    /* the first that any user may listen on */
};

/* 0; or -1 with errno: the kernel does not show them here. */
int kernel_ports_read(struct kernel_ports *ret);

#endif
