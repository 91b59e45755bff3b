/* SPDX-License-Identifier: ISC */
/*
 * The addresses and networks from which a holder may connect, as in from="..." of authorized_keys.
 * Pure. Host bits are cleared, because sshd refuses a network that has them set, and with it the
 * login (docs/sshd-facts.md 9).
 *
 * A link-local address belongs to an interface, its zone: fe80::1%eth0. sshd sees such a client
 * with its zone, and an address or a network without that zone does not match it.
 */
#ifndef TUNLEASE_LEASE_SOURCE_H
#define TUNLEASE_LEASE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

enum {
    SOURCE_LIST_MAX = 32,
    SOURCE_ZONE_BYTES = 16, /* IF_NAMESIZE: the name of an interface and its NUL */
};

struct source {
    int family;              /* AF_INET or AF_INET6 */
    unsigned char bytes[16]; /* network order, host bits zero */
    unsigned prefix_bits;
    char zone[SOURCE_ZONE_BYTES]; /* of a link-local address; "": none */
};

struct source_list {
    struct source items[SOURCE_LIST_MAX];
    size_t count; /* 0: from anywhere */
};

/* Parses `CIDR[,CIDR]...`; an address alone is a network of one, and a network in a zone is written
 * `fe80::%eth0/64`. NULL and *ret, or why not, as a
 * clause. An empty text is refused: it could mean "from nowhere" or "from anywhere". */
const char *source_list_parse(const char *s, struct source_list *ret);

/* Appends the list, separated by commas; a network of one address has no prefix length. */
void source_list_format(const struct source_list *list, struct buf *out);

/* True if addr (IPv4, IPv6 with its zone if it has one, or IPv4 mapped into IPv6) is in the list,
 * or the list is empty. */
bool source_list_matches(const struct source_list *list, const char *addr);

#endif
