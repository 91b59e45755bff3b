/* SPDX-License-Identifier: ISC */
/*
 * The engine: the process of leased that holds the store, the registry and CAP_KILL, and reads no
 * byte of HTTP or JSON. One thread, one loop. Requests of one turn of the loop are committed
 * together, and answered after the commit. Nothing here waits: a locked store leaves the batch
 * queued, and sessions are judged and ended by reading alone (DESIGN 5).
 */
#ifndef TUNLEASE_LEASED_ENGINE_H
#define TUNLEASE_LEASED_ENGINE_H

#include "leased/engine/agent_port.h"
#include "leased/engine/api_keys.h"
#include "leased/engine/beats.h"
#include "leased/engine/clock_jumps.h"
#include "leased/engine/limiter.h"
#include "leased/engine/listening.h"
#include "leased/engine/metrics.h"
#include "leased/engine/place.h"
#include "leased/engine/program.h"
#include "leased/engine/records.h"
#include "leased/engine/refusals.h"
#include "leased/engine/register.h"
#include "leased/engine/roster.h"
#include "leased/engine/sessions.h"
#include "leased/engine/store_watch.h"
#include "lib/base/clock.h"
#include "lib/conf/conf.h"
#include "lib/session/registry.h"
#include "lib/session/registry_clear.h"
#include "lib/session/registry_read.h"
#include "lib/session/session_list.h"
#include "lib/session/strays.h"
#include "lib/store/agents.h"
#include "lib/store/walk.h"
#include "lib/wire/control.h"

#include <stdbool.h>

struct event;
struct event_base;

enum {
    BATCH_MAX = 256,     /* requests of one commit: their answers fit the socket to http */
    BATCH_MIN = 32,      /* as many as there are, up to these: each commit is a sync of the disk */
    ANSWER_WAIT_MS = 20, /* for http to take some, before the rest of a batch is lost */
    QUEUE_MAX = 4096,    /* and that wait for the store's lock */
    LOCKED_RETRY_MS = 20,
    LOCKED_GIVE_UP_MS = 5000,
    SWEEP_MS = 10000,
    UNUSED_AGENT_S = 3600,
    SOON_S = 48 * 3600,
    WALK_MS = 600000, /* from one walk through all leases to the next */
    WALK_FIRST = 250, /* leases of a piece, */
    WALK_LEAST = 50,
    WALK_MOST = 1000,
    WALK_PORTS = 4096,     /* of a piece, once all leases were seen */
    EXPIRED_PORT_S = 3600, /* from the end of a lease to its port being free, in quarantine */
    WALK_PIECE_MS = 10,    /* until one with something to delete takes about so long, */
    WALK_PAUSE_MS = 5,     /* and then as long a pause, but at least this */
    LOG_RETRY_MS = 10,     /* lines that nobody took: again, and each time after twice as long, */
    LOG_RETRY_MAX_MS = 500,
};

/* Leases are counted piece by piece, like all that looks at every one (lib/store/walk.h). */
struct count {
    bool is_on, is_known;
    struct lease_range at;
    struct store_counts done, under_way;
};

struct queued {
    struct queued *next;
    int64_t since_ms;
    int64_t lease_id;  /* of the agent that it has proven to come from; 0: nobody's, as yet */
    char *private_key; /* made for it, encrypted; NULL: it brought its own public key */
    struct control_request request; /* allocated up to its last text */
};

/* Through all leases, piece by piece. */
struct walk {
    bool is_on, saw_all; /* saw_all: only ports and the audit are left */
    unsigned next_port;  /* from which on ports of expired leases are looked for */
    struct lease_range at;
    int64_t size;                       /* leases of the next piece */
    int64_t soon_after_s, soon_until_s; /* expires_soon is said of the ends between */
};

struct engine {
    struct event_base *base;
    struct program program;
    struct conf conf;
    struct api_keys keys;
    struct limiter limiter;
    struct refusals refusals;
    bool verbose;
    struct place place;
    struct sessions sessions;
    struct store_watch store_watch;
    bool foreign_network; /* behind systemd's sockets: our own /proc/net shows nothing */

    /* http */
    int http_fd;
    bool http_hangs; /* it took no more answers of this batch */
    pid_t http_pid;
    int64_t http_started_ms, http_pause_ms; /* before it is started anew */
    bool is_ready;                          /* http has been, at least once, and systemd was told */
    int exit_status;                        /* what leased exits with */
    struct queued *queue_head, **queue_tail;
    size_t queue_count;
    struct control_answer *answers; /* BATCH_MAX of answer_bytes each: up to the report */
    size_t answer_bytes;

    struct records records;
    struct roster roster;
    struct beats beats;
    bool settles_alone; /* not with requests, until it works again */

    struct pending_agents pending;
    struct listening listening;
    struct port_memory ports;
    struct clock_jumps clock_jumps;
    struct walk walk;
    struct herd herd;
    struct metrics metrics;
    struct count count;

    struct strays strays; /* as last looked for */
    enum sight strays_sight;
    bool strays_are_new;                       /* nobody was told of that look yet */
    int64_t health_until_ms, metrics_until_ms; /* what they say is said again until then */

    struct stray_logins logins; /* the tunnel group's, and the two that are named */
    uid_t *login_uids;

    int64_t sweep_ms;
    struct event *on_http, *on_sweep, *on_retry;
    struct event *on_walk, *on_walk_again, *on_count;
    struct event *on_beats, *on_log, *on_strays;
    struct event *on_lasted;
    int64_t log_pause_ms;
};

/* ---- control_port.c ---- */
/* Agents' permits for the control port follow Listen: all at once, and, within a transaction, one
 * or those of a range. */
void control_port_start(struct engine *e);
enum store_rc control_port_move_one(struct engine *e, int64_t id, const struct store_actor *by);
enum store_rc control_port_move(struct engine *e, const struct lease_range *in,
                                const struct store_actor *by);

/* ---- requests.c: within a transaction ---- */

/* Fills *ret, code and error included, and q's lease_id. Anything but STORE_OK: the batch is rolled
 * back. */
enum store_rc request_decide(struct engine *e, struct queued *q, int64_t now_ms,
                             struct control_answer *ret);

/* Whether a key pair is to be made for a register without a public key: only for who may have one.
 */
bool request_wants_key(struct engine *e, const struct control_request *r);

/* ---- report.c ---- */
int report_start(struct engine *e);
void report_metrics(struct engine *e, struct buf *out); /* as they were at most a second ago */
/* True: all is well. text says what is not. */
bool report_health(struct engine *e, struct buf *out);

/* ---- engine.c ---- */
int engine_run(struct engine *e); /* returns an exit status */

#endif
