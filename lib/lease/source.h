/* SPDX-License-Identifier: ISC */
/*
 * Where a holder may come from: a list of addresses and networks, as sshd's from="..." takes it.
 * Pure. Host bits are cleared, because sshd refuses a criterion that has them set, and with it the
 * login (docs/sshd-facts.md 9).
 */
#ifndef TUNLEASE_LEASE_SOURCE_H
#define TUNLEASE_LEASE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

enum { SOURCE_LIST_MAX = 32 };

struct source {
    int family;              /* AF_INET or AF_INET6 */
    unsigned char bytes[16]; /* network order, host bits zero */
    unsigned prefix_bits;
};

struct source_list {
    struct source items[SOURCE_LIST_MAX];
    size_t count; /* 0: from anywhere */
};

/* `CIDR[,CIDR]...`; an address alone is itself. NULL and *ret, or why not as a clause. An empty
 * text is no list: "from nowhere" and "from anywhere" must not look alike. */
const char *source_list_parse(const char *s, struct source_list *ret);

/* Comma-separated; a network of one address is printed without its prefix length. */
void source_list_format(const struct source_list *list, struct buf *out);

/* Whether addr (IPv4, IPv6, or IPv4 mapped into IPv6) is in the list; an empty list holds all. */
bool source_list_matches(const struct source_list *list, const char *addr);

#endif
