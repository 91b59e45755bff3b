/* SPDX-License-Identifier: ISC */
/*
 * Permits: the HOST:PORT that a holder may open with ssh -L, or bind with ssh -R. Pure.
 *
 * sshd compares permits as strings, before it resolves any name (docs/sshd-facts.md 7). So a permit
 * has one canonical spelling here: lower case, IPv4 in four decimal numbers, IPv6 as inet_ntop(3)
 * writes it, `localhost` as 127.0.0.1, ports without leading zeros.
 */
#ifndef TUNLEASE_LEASE_PERMIT_H
#define TUNLEASE_LEASE_PERMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

enum {
    PERMIT_HOST_BYTES = 254,  /* a DNS name (RFC 1035 section 2.3.4) and its NUL; no brackets */
    PERMIT_RANGE_PORTS = 256, /* the most one range of a lease may span */
    PERMIT_TEXT_BYTES = 270,  /* [HOST]:LOW-HIGH and its NUL */
    PERMIT_LIST_MAX = 64,     /* permits in one direction of one lease */
    PERMIT_LIST_PORTS = 1024, /* ports in them: sshd takes 4096 permits a line (docs/sshd-facts.md
                                 6), and a loopback port is emitted in two spellings */
};

struct permit {
    char host[PERMIT_HOST_BYTES];
    uint16_t low, high; /* equal unless it is a range */
    bool from_agent;    /* the port of an agent:NAME that the lease opens, found when it was read */
};

struct permit_list {
    struct permit *items; /* owned */
    size_t count;
};

/* What the port part of a text may be. */
enum permit_form {
    PERMIT_PORT,    /* one port */
    PERMIT_RANGE,   /* one port, or LOW-HIGH of at most PERMIT_RANGE_PORTS */
    PERMIT_CEILING, /* one port, LOW-HIGH of any size, or * */
};

/*
 * Parses `[HOST:]PORTS`; without HOST it is 127.0.0.1. Returns NULL and *ret; or why not, as a
 * clause ("the range ends before it begins"), with *ret untouched.
 */
const char *permit_parse(const char *s, enum permit_form form, struct permit *ret);

/* The canonical text; 1-65535 is written as HOST:*. */
void permit_format(const struct permit *p, char out[static PERMIT_TEXT_BYTES]);

bool permit_equal(const struct permit *a, const struct permit *b);
bool permit_contains(const struct permit *outer, const struct permit *inner);
bool permit_is_loopback4(
    const struct permit *p); /* exactly 127.0.0.1, which people also type as localhost */

/* Replaces a wildcard address to listen on by the loopback address where this host itself reaches
 * the port. */
void permit_make_reachable(struct permit *p);

/*
 * A list as the store has it: canonical texts separated by one blank. Every item is checked when it
 * is read, for a damaged row must not become a permission (docs/sqlite-facts.md 1.7). 0 and *ret;
 * or -1 with *ret untouched: malformed, too many, or out of memory.
 */
int permit_list_parse(const char *text, struct permit_list *ret);
void permit_list_format(const struct permit_list *list, struct buf *out);

/* Adds a copy of p. NULL, or why not, as a clause: already there, too many, out of memory. */
const char *permit_list_add(struct permit_list *list, const struct permit *p);
bool permit_list_has(const struct permit_list *list, const struct permit *p);
void permit_list_release(struct permit_list *list);

#endif
