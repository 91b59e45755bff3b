/* SPDX-License-Identifier: ISC */
/*
 * Ends each join connection (lib/session/join_session.h) JOIN_SESSION_S after it was opened,
 * whether it runs the command or does nothing. A stranger's `ssh -N` would stand for ever, and take
 * the place of a friend. They hold no lease, so the sweep of sessions does not have them.
 */
#ifndef TUNLEASE_LEASED_WATCH_JOIN_CONNECTIONS_H
#define TUNLEASE_LEASED_WATCH_JOIN_CONNECTIONS_H

#include "lib/session/ladder.h"
#include "lib/session/registry.h"
#include "lib/session/session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf;
struct event;
struct event_base;

/* More than may stand at once: those of an earlier moment may still be ending. */
enum { JOIN_CONNECTIONS_MAX = 64 };

struct join_connection {
    pid_t pid;
    uint64_t start_ticks;
    int64_t due_ms; /* when it is ended, by the monotonic clock */
    bool is_ending;
    bool is_seen; /* by the look that is being made */
    int64_t ending_since_ms;
    struct ladder ladder; /* while is_ending */
    char login[SESSION_LOGIN_BYTES], fingerprint[FINGERPRINT_BYTES];
    char source[SESSION_ADDRESS_BYTES];
};

struct join_connections {
    const struct conf *conf;
    struct event_base *base;
    struct registry registry;
    bool has_registry;
    int64_t unreadable_logged_ms, stays_logged_ms; /* 0: never */
    struct join_connection items[JOIN_CONNECTIONS_MAX];
    size_t count;
    struct event *on_look, *on_step, *on_change;
};

/* conf must live as long as the process. Returns 0, or -1: out of memory. */
int join_connections_start(struct join_connections *j, struct event_base *base,
                           const struct conf *conf);

#endif
