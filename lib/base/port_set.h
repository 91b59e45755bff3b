/* SPDX-License-Identifier: ISC */
/* A set of TCP ports. A zeroed one is empty. */
#ifndef TUNLEASE_BASE_PORT_SET_H
#define TUNLEASE_BASE_PORT_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

struct port_set {
    uint8_t bits[65536 / 8];
};

void port_set_add(struct port_set *set, uint16_t low, uint16_t high);
bool port_set_has(const struct port_set *set, uint16_t port);

/* Removes from set what is not, or what is, in other. */
void port_set_keep(struct port_set *set, const struct port_set *other);
void port_set_remove(struct port_set *set, const struct port_set *other);

size_t port_set_count(const struct port_set *set);

/* Adds `20000-20009,20012`, as the kernel writes and reads such lists. */
void port_set_format(const struct port_set *set, struct buf *out);

#endif
