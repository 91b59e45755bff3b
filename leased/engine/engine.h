/* SPDX-License-Identifier: ISC */
/*
 * The engine: the process of leased that holds the store, the registry and CAP_KILL, and reads no
 * byte of HTTP or JSON. One thread, one loop. Requests of one turn of the loop are committed
 * together, and answered after the commit. Nothing here waits: a locked store leaves the batch
 * queued, and sessions are judged and ended by reading alone (DESIGN 5).
 */
#ifndef TUNLEASE_LEASED_ENGINE_H
#define TUNLEASE_LEASED_ENGINE_H

#include "leased/engine/api_keys.h"
#include "leased/engine/beats.h"
#include "leased/engine/clock_jumps.h"
#include "leased/engine/listening.h"
#include "leased/engine/metrics.h"
#include "leased/engine/limiter.h"
#include "leased/engine/ports.h"
#include "leased/engine/program.h"
#include "leased/engine/records.h"
#include "leased/engine/refusals.h"
#include "leased/engine/register.h"
#include "leased/engine/roster.h"
#include "lib/base/clock.h"
#include "lib/conf/conf.h"
#include "lib/session/ladder.h"
#include "lib/session/registry.h"
#include "lib/session/strays.h"
#include "lib/store/agents.h"
#include "lib/store/place.h"
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
    LADDERS_MAX = 4096,  /* sessions that are being ended at a time */
    LOCKED_RETRY_MS = 20,
    LOCKED_GIVE_UP_MS = 5000,
    SETTLE_MS = 10,    /* from a sign of change to the look at it */
    FIRST_LOOK_MS = 2, /* after a sign from the store's log; each further look waits twice as */
    LOOKS = 9,         /* long: a commit is seen only when its writer has flushed the disk */
    VERSION_LOOK_MS = 5000, /* where inotify was lost */
    SWEEP_MS = 10000,
    BLIND_LOOK_MS = 500,
    LADDER_STEP_MS = 5,
    LADDER_LIMIT_MS = 5000, /* then it is said, and begun anew */
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
    SAY_AGAIN_MS = 60000,  /* of what is not as it should be, as long as it lasts */
    LOG_RETRY_MS = 10,     /* lines that nobody took: again, and each time after twice as long, */
    LOG_RETRY_MAX_MS = 500,
};

/* One session that is being ended. */
struct ending {
    struct ladder ladder;
    pid_t pid;
    uint64_t start_ticks;
    int64_t lease_id;
    char lease[SESSION_NAME_BYTES], login[SESSION_LOGIN_BYTES];
    enum session_verdict why;
    int64_t since_ms;
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

/* Sessions that are in the registry and cannot be seen: they are not ended. */
struct unseen {
    bool is_on;         /* there are some, or /proc shows no process of others at all */
    size_t count, over; /* over: of those, how many would be ended */
    int why;            /* session_unseen_reason */
    char leases[256];   /* the names of those that are over */
    int64_t said_ms;
};

/* The store that is open is not the one at its path. */
struct lost {
    bool is_on;
    char why[STORE_ERROR_BYTES];
    int64_t said_ms;
    struct store_traces traces; /* what lies there, and since when it has not changed */
    int64_t quiet_ms, main_quiet_ms;
};

struct engine {
    struct event_base *base;
    struct program program;
    struct conf conf;
    struct api_keys keys;
    struct limiter limiter;
    struct refusals refusals;
    bool verbose;
    struct store *store;
    struct lost lost;
    struct registry registry;
    bool has_registry;
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

    /* sessions */
    struct session_list live; /* sorted by lease, as last judged */
    bool is_blind; /* the last look could not tell which sessions there are: live is older */
    struct ending *endings;
    size_t ending_count;
    int64_t store_version;
    unsigned looks; /* at the store, since the last sign */
    struct pending_agents pending;
    struct listening listening;
    struct port_memory ports;
    int64_t swept_ms; /* when sessions were last judged: by a clock that nobody sets */
    int64_t blind_said_ms;
    struct unseen unseen;
    bool has_no_room; /* for one more ending, until one of those under way is through */
    int lock_fd;      /* beside the store, held as long as this process lives */
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
    struct event *on_http, *on_sweep, *on_soon, *on_ladder, *on_expiry, *on_retry;
    struct event *on_look, *on_version, *on_walk, *on_walk_again, *on_count;
    struct event *on_beats, *on_log, *on_place, *on_registry, *on_store, *on_strays;
    struct event *on_lasted;
    int64_t log_pause_ms;
};

/* For requests.c. */
static inline int64_t engine_now_s(void)
{
    return clock_now_s();
}

static inline bool engine_listens(struct engine *e, uint16_t port, int64_t max_age_ms)
{
    return listening_has(&e->listening, port, max_age_ms);
}

static inline bool engine_knows_listeners(struct engine *e)
{
    return listening_is_known(&e->listening);
}

static inline bool engine_is_cautious(struct engine *e)
{
    return clock_jumps_caution(&e->clock_jumps);
}

/* ---- sessions.c ---- */
/* Whether the lease has an open session, as last judged. */
const struct session *engine_session_of(const struct engine *e, int64_t lease_id);
/* What cannot be seen, and what that keeps up, as a line for people. */
void sessions_say_unseen(const struct engine *e, struct buf *out);

/* ---- place.c ---- */
int place_start(struct engine *e);
/* Whether the store that is open is the one at its path. False: no use may be made of it, which was
 * said; it is opened anew when another one lies there. */
bool place_look(struct engine *e);
/* What is wrong with it, by the last look; NULL: nothing. */
const char *place_problem(const struct engine *e);

/* Whether it has one, by the registry itself: what was last judged may be older than a session that
 * has just been opened. Where it cannot be told, it may. */
bool engine_may_have_session(const struct engine *e, int64_t lease_id);

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

/* ---- sessions.c ---- */
int sessions_start(struct engine *e);
void sessions_take_store(struct engine *e); /* another one than before */
bool sessions_sweep(struct engine *e);      /* reads, judges, ends; false: it could not look */
void sessions_soon(struct engine *e);       /* a sweep within SETTLE_MS */
void sessions_store_changed(
    struct engine *e); /* a look whether another process changed the store */

/* ---- report.c ---- */
int report_start(struct engine *e);
void report_metrics(struct engine *e, struct buf *out); /* as they were at most a second ago */
/* True: all is well. text says what is not. */
bool report_health(struct engine *e, struct buf *out);

/* ---- engine.c ---- */
int engine_run(struct engine *e); /* returns an exit status */
/* All that is known of the store before is forgotten. */
enum store_rc engine_take_store(struct engine *e);

#endif
