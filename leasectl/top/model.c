/* SPDX-License-Identifier: ISC */
#include "leasectl/top/model.h"

#include "leasectl/ctl_store.h"
#include "lib/base/clock.h"
#include "lib/session/registry.h"
#include "lib/session/registry_read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int compare_id(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* The index of the first id that is not below the wanted one. */
static size_t first_from(const struct model *m, int64_t id)
{
    size_t low = 0, high = m->sessions.count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (m->lease_ids[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t model_sessions_of(const struct model *m, int64_t lease_id)
{
    return m->sessions_known ? first_from(m, lease_id + 1) - first_from(m, lease_id) : 0;
}

static int compare_brief(const void *a, const void *b)
{
    const struct lease_brief *x = a, *y = b;
    return compare_id(&x->id, &y->id);
}

const struct lease_brief *model_lease(const struct model *m, int64_t id)
{
    const struct lease_brief key = {.id = id};
    const struct lease_brief *found =
        m->store.count > 0
            ? bsearch(&key, m->store.leases, m->store.count, sizeof(key), compare_brief)
            : NULL;
    return found != NULL && found->expires_s > m->now_s ? found : NULL;
}

static void release_sessions(struct model *m)
{
    traffic_release(&m->traffic);
    session_list_release(&m->sessions);
    free(m->lease_ids);
    m->lease_ids = NULL;
    m->sessions_known = false;
}

static bool fail(struct model *m, const char *what)
{
    (void)snprintf(m->sessions_why, sizeof(m->sessions_why), "%s: %s", what,
                   errno == EPERM ? "it is not safe: see 'leasectl doctor'" : strerror(errno));
    return false;
}

/* No RunDir: nobody has ever logged in. */
static bool read_sessions(const struct ctl *ctl, struct model *m)
{
    const char *run_dir = ctl->conf.paths.run_dir;
    struct registry registry = REGISTRY_CLOSED;
    bool read = true;
    if (access(run_dir, F_OK) != 0 && errno == ENOENT)
        return true;
    if (registry_open(run_dir, false, &registry) != 0 ||
        registry_read(&registry, 0, &m->sessions) != 0)
        read = fail(m, "the session registry cannot be read");
    registry_close(&registry);
    if (read)
        session_list_filter(&m->sessions, session_is_open, NULL);
    return read;
}

static bool sort_lease_ids(struct model *m)
{
    m->lease_ids = calloc(m->sessions.count + 1, sizeof(*m->lease_ids));
    if (m->lease_ids == NULL)
        return fail(m, "the sessions cannot be counted");
    for (size_t i = 0; i < m->sessions.count; i++)
        m->lease_ids[i] = m->sessions.items[i].lease_id;
    qsort(m->lease_ids, m->sessions.count, sizeof(m->lease_ids[0]), compare_id);
    return true;
}

static void explain_unseen(struct model *m)
{
    m->unseen_why[0] = '\0';
    if (geteuid() != 0)
        (void)snprintf(m->unseen_why, sizeof(m->unseen_why),
                       "only root sees listeners, forwards and bytes: sudo leasectl top");
    else if (m->traffic.why_no_bytes != 0)
        (void)snprintf(m->unseen_why, sizeof(m->unseen_why),
                       "bytes are unknown: the kernel does not tell its counters (sock_diag): %s",
                       strerror(m->traffic.why_no_bytes));
    else if (m->traffic.sockets.unseen > 0)
        (void)snprintf(m->unseen_why, sizeof(m->unseen_why),
                       "the forwards of %zu sessions cannot be seen: %s", m->traffic.sockets.unseen,
                       m->sessions.unseen > 0 ? session_unseen_reason(m->sessions.unseen_why)
                                              : "their processes in /proc cannot be read");
}

void model_look(struct ctl *ctl, struct model *m, int close_fd)
{
    m->now_s = clock_now_s();
    m->started_s = m->started_s != 0 ? m->started_s : m->now_s;
    m->leased_runs = ctl_leased_is_running(ctl);
    store_look(ctl, &m->store, close_fd);
    release_sessions(m);
    m->sessions_known = read_sessions(ctl, m) && sort_lease_ids(m);
    if (m->sessions_known && traffic_read(&m->sessions, &m->traffic) != 0)
        m->sessions_known = fail(m, "the sockets of the sessions cannot be read");
    if (m->sessions_known &&
        tally_look(&m->tally, &m->sessions, &m->traffic, clock_monotonic_ms()) != 0)
        m->sessions_known = fail(m, "the bytes cannot be added up");
    explain_unseen(m);
    if (!m->sessions_known)
        release_sessions(m);
}

void model_release(struct model *m)
{
    release_sessions(m);
    store_view_release(&m->store);
    tally_release(&m->tally);
    *m = (struct model){.now_s = 0};
}
