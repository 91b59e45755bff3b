/* SPDX-License-Identifier: ISC */
/* All that `leasectl top` shows, as one look at the gateway found it. */
#ifndef TUNLEASE_LEASECTL_TOP_MODEL_H
#define TUNLEASE_LEASECTL_TOP_MODEL_H

#include "leasectl/ctl.h"
#include "leasectl/top/store_look.h"
#include "leasectl/top/tally.h"
#include "leasectl/traffic/traffic.h"
#include "lib/session/session_list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MODEL_WHY_BYTES = 512 };

struct model {
    int64_t now_s;     /* of the last look */
    int64_t started_s; /* of the first */
    bool leased_runs;
    struct store_view store;
    bool sessions_known;                /* false: sessions_why says why not */
    char sessions_why[MODEL_WHY_BYTES]; /* a clause */
    char unseen_why[MODEL_WHY_BYTES];   /* why listeners, forwards or bytes are not known of all
                                         * sessions; "": they are */
    struct session_list sessions;       /* those that are open; sorted by pid */
    struct traffic traffic;             /* of them */
    struct tally tally;                 /* tally.sessions[i] is of sessions.items[i] */
    int64_t *lease_ids;                 /* owned; of the sessions, sorted */
};

/* Takes a look. What cannot be read is said in the model. close_fd: see store_look. */
void model_look(struct ctl *ctl, struct model *m, int close_fd);

/* How many sessions a lease has; they must be known. */
size_t model_sessions_of(const struct model *m, int64_t lease_id);

/* The lease of this number, if it is active; else NULL. */
const struct lease_brief *model_lease(const struct model *m, int64_t id);

void model_release(struct model *m);

#endif
