/* SPDX-License-Identifier: ISC */
/*
 * The engine: the process of leased that has the store, the registry and CAP_KILL, and reads no
 * byte of HTTP or JSON. It is one thread with one loop. Requests that arrive in one turn of the
 * loop are committed together, and answered after the commit. Nothing here waits: while the store
 * is locked the batch stays queued, and sessions are judged and ended by reading alone
 * (docs/design.md 5.2).
 *
 * These are its modules; loop.c connects them. Each module writes only to its own struct, and has
 * pointers to those of the modules that it calls or reads ("lent": they live as long as the
 * engine).
 */
#ifndef TUNLEASE_LEASED_ENGINE_ENGINE_H
#define TUNLEASE_LEASED_ENGINE_ENGINE_H

#include "leased/engine/answers.h"
#include "leased/engine/audit_head_log.h"
#include "leased/engine/batch.h"
#include "leased/engine/http_child.h"
#include "leased/engine/intake.h"
#include "leased/engine/log_drain.h"
#include "leased/engine/callbacks.h"
#include "leased/engine/page_desk.h"
#include "leased/engine/report.h"
#include "leased/engine/heartbeat_flush.h"
#include "leased/engine/walk.h"
#include "leased/requests/api_keys.h"
#include "leased/requests/control_port.h"
#include "leased/requests/limiter.h"
#include "leased/requests/requests.h"
#include "leased/requests/roster.h"
#include "leased/status/overview.h"
#include "leased/watch/clock_jumps.h"
#include "leased/watch/copies_seen.h"
#include "leased/watch/join_connections.h"
#include "leased/watch/listeners_cache.h"
#include "leased/watch/local_peers.h"
#include "leased/watch/metrics.h"
#include "leased/watch/open_store.h"
#include "leased/watch/records.h"
#include "leased/watch/sessions.h"
#include "leased/watch/store_watch.h"
#include "lib/conf/conf.h"

#include <stdbool.h>
#include <stdint.h>

struct engine {
    /* Filled in before engine_loop; open_store by open_store_adopt. */
    struct engine_callbacks callbacks;
    struct conf conf;
    struct api_keys keys;
    const struct control_site *site; /* the site page, which changes at a reload */
    bool verbose;                    /* a line for each heartbeat */
    bool foreign_network; /* sockets are systemd's: our /proc/net does not show sshd's listeners */
    struct open_store open_store;

    struct event_base *base;
    struct log_drain log_drain;
    struct metrics metrics;

    /* What is written to the store next, and whether the store and the clock can be trusted. */
    struct records records;
    struct clock_jumps clock_jumps;
    struct copies_seen copies_seen;
    struct store_watch store_watch;

    /* Who is connected, and what listens. */
    struct sessions sessions;
    struct join_connections join_connections;
    struct listeners_cache listeners;

    /* The way of a request, from http and back. */
    struct http_child http;
    struct intake intake;
    struct batch batch;
    struct answers answers;
    struct requests requests;
    struct limiter limiter;
    struct roster roster;
    struct heartbeat_flush heartbeat_flush;

    /* All leases. */
    struct walk walk;
    struct control_port control_port;

    struct report report;
    struct audit_head_log audit_head_log;

    /* The page on MetricsListen. */
    struct overview overview;
    struct local_peers peers;
    struct page_desk desk;

    int64_t sweep_ms; /* at most this long from one sweep to the next */
    struct event *on_sweep;
};

int engine_loop(struct engine *e); /* Runs until leased is told to stop. Returns its exit status. */

#endif
