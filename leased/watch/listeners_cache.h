/* SPDX-License-Identifier: ISC */
/*
 * The ports that something listens on, read from /proc/net/tcp and remembered for a while. A scan
 * that is quick is done at once. With tens of thousands of listeners a scan takes a tenth of a
 * second: then callers get the result of the last scan, while the next one is done in pieces
 * between requests. After such a scan the next one waits for thirty times as long as the scan took,
 * so that scans use about 3 % of one processor.
 */
#ifndef TUNLEASE_LEASED_WATCH_LISTENERS_CACHE_H
#define TUNLEASE_LEASED_WATCH_LISTENERS_CACHE_H

#include "lib/session/listeners.h"

#include <stdbool.h>
#include <stdint.h>

struct event;
struct event_base;

enum {
    LISTENERS_MAX_AGE_MS = 1000, /* how old a scan may be that answers a question */
    LISTENERS_RECENT_MS = 100,   /* the same, when its answer contradicts the registry */
};

struct listeners_cache {
    bool foreign_network; /* leased has a network namespace of its own (sockets from systemd):
                             /proc/1/net is read */
    struct listeners found;
    int64_t read_ms; /* when that scan began; 0: there was none */
    int64_t took_ms;
    bool is_unreadable; /* the last scan failed */

    bool is_scanning; /* a scan in pieces is under way */
    struct listeners_scan scan;
    int64_t scan_since_ms, scan_us; /* when it began; time it has used so far */
    struct event *on_piece;
};

/* foreign_network: sshd listens in another network namespace than ours. Returns 0, or -1: out of
 * memory. */
int listeners_cache_start(struct listeners_cache *l, struct event_base *base, bool foreign_network);

/* Whether anything listens on the port, by a scan that is at most max_age_ms old (older where scans
 * are slow); 0: by a new scan. False also when the listeners cannot be read. */
bool listeners_cache_has(struct listeners_cache *l, uint16_t port, int64_t max_age_ms);

/* Whether the listeners can be read. If not, no port may be given to anyone. */
bool listeners_cache_is_readable(struct listeners_cache *l);

#endif
