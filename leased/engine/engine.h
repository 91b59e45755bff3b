/* SPDX-License-Identifier: ISC */
/*
 * The engine: the process of leased that holds the store, the registry and CAP_KILL, and reads no
 * byte of HTTP or JSON. One thread, one loop. Requests of one turn of the loop are committed
 * together, and answered after the commit. Nothing here waits: a locked store leaves the batch
 * queued, and sessions are judged and ended by reading alone (docs/design.md 5.2).
 *
 * Here are its modules; loop.c puts them together. Each writes to its own struct alone, and is lent
 * those of the others that it calls or reads.
 */
#ifndef TUNLEASE_LEASED_ENGINE_ENGINE_H
#define TUNLEASE_LEASED_ENGINE_ENGINE_H

#include "leased/engine/answers.h"
#include "leased/engine/batch.h"
#include "leased/engine/http_child.h"
#include "leased/engine/intake.h"
#include "leased/engine/log_drain.h"
#include "leased/engine/callbacks.h"
#include "leased/engine/report.h"
#include "leased/engine/heartbeat_flush.h"
#include "leased/engine/walk.h"
#include "leased/requests/api_keys.h"
#include "leased/requests/control_port.h"
#include "leased/requests/limiter.h"
#include "leased/requests/requests.h"
#include "leased/requests/roster.h"
#include "leased/watch/clock_jumps.h"
#include "leased/watch/listeners_cache.h"
#include "leased/watch/metrics.h"
#include "leased/watch/open_store.h"
#include "leased/watch/records.h"
#include "leased/watch/sessions.h"
#include "leased/watch/store_watch.h"
#include "lib/conf/conf.h"

#include <stdbool.h>
#include <stdint.h>

struct engine {
    /* Filled in before engine_loop, as is open_store by open_store_adopt. */
    struct engine_callbacks callbacks;
    struct conf conf;
    struct api_keys keys;
    bool verbose;         /* a line for each heartbeat */
    bool foreign_network; /* behind systemd's sockets: our own /proc/net shows nothing */
    struct open_store open_store;

    struct event_base *base;
    struct log_drain log_drain;
    struct metrics metrics;

    /* What the store is to be told, and whether it can be believed. */
    struct records records;
    struct clock_jumps clock_jumps;
    struct store_watch store_watch;

    /* Who is connected. */
    struct sessions sessions;
    struct listeners_cache listeners;

    /* Requests, from http and back. */
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

    int64_t sweep_ms; /* from one sweep to the next, at most */
    struct event *on_sweep;
};

int engine_loop(struct engine *e); /* returns an exit status */

#endif
