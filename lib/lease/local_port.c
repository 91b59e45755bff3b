/* SPDX-License-Identifier: ISC */
#include "lib/lease/local_port.h"

#include "lib/base/port_set.h"

#include <stdbool.h>

enum { FIRST_PORT = 1024, PORT_COUNT = 65536 };

/* False: it was in the set already. */
static bool add_port(struct port_set *set, unsigned port)
{
    const bool is_new = !port_set_has(set, (uint16_t)port);
    port_set_add(set, (uint16_t)port, (uint16_t)port);
    return is_new;
}

static unsigned preferred_port(uint16_t remote)
{
    return remote < FIRST_PORT ? remote + LOCAL_PORT_SHIFT : remote;
}

void local_ports_assign(const uint16_t *remote, size_t count, uint16_t *ret)
{
    struct port_set used = {{0}};
    for (size_t i = 0; i < count; i++) {
        const unsigned port = preferred_port(remote[i]);
        ret[i] = add_port(&used, port) ? (uint16_t)port : 0;
    }
    for (size_t i = 0; i < count; i++) {
        if (ret[i] != 0)
            continue;
        unsigned port = preferred_port(remote[i]);
        do
            port = port + 1 < PORT_COUNT ? port + 1 : FIRST_PORT;
        while (!add_port(&used, port));
        ret[i] = (uint16_t)port;
    }
}
