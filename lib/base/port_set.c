/* SPDX-License-Identifier: ISC */
#include "lib/base/port_set.h"

#include "lib/base/buf.h"

enum { PORTS = 65536 };

void port_set_add(struct port_set *set, uint16_t low, uint16_t high)
{
    for (unsigned port = low; port <= high; port++)
        set->bits[port / 8] |= (uint8_t)(1U << port % 8);
}

bool port_set_has(const struct port_set *set, uint16_t port)
{
    return (set->bits[port / 8] >> port % 8 & 1) != 0;
}

void port_set_keep(struct port_set *set, const struct port_set *other)
{
    for (size_t i = 0; i < sizeof(set->bits); i++)
        set->bits[i] &= other->bits[i];
}

void port_set_remove(struct port_set *set, const struct port_set *other)
{
    for (size_t i = 0; i < sizeof(set->bits); i++)
        set->bits[i] &= (uint8_t)~other->bits[i];
}

size_t port_set_count(const struct port_set *set)
{
    size_t count = 0;
    for (unsigned port = 0; port < PORTS; port++)
        count += port_set_has(set, (uint16_t)port) ? 1 : 0;
    return count;
}

void port_set_format(const struct port_set *set, struct buf *out)
{
    const char *comma = "";
    for (unsigned low = 0; low < PORTS; low++) {
        unsigned high = low;
        if (!port_set_has(set, (uint16_t)low))
            continue;
        while (high + 1 < PORTS && port_set_has(set, (uint16_t)(high + 1)))
            high++;
        buf_addf(out, high > low ? "%s%u-%u" : "%s%u", comma, low, high);
        comma = ",";
        low = high;
    }
}
