/* SPDX-License-Identifier: ISC */
#include "lib/store/backup/narrow.h"

#include "lib/base/array.h"
#include "lib/lease/lease.h"
#include "lib/store/backup/once.h"
#include "lib/store/failure.h"
#include "lib/store/leases.h"
#include "lib/store/ports.h"
#include "lib/store/terms.h"

#include <stdlib.h>
#include <string.h>

struct other_terms {
    int64_t id;
    char *open, *listen, *sources; /* as the store that is replaced has them; owned */
    unsigned max_sessions;
};

struct other_terms_list {
    struct other_terms *items;
    size_t count, room;
};

static void release(struct other_terms_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].open);
        free(list->items[i].listen);
        free(list->items[i].sources);
    }
    free(list->items);
}

/* First all of them: what is changed while it is read may be read twice. */
static enum store_rc collect(struct store *work, struct other_terms_list *list)
{
    static const struct once_values none = {.now_s = 0};
    enum store_rc rc;
    sqlite3_stmt *s = once_get(work, RESTORE_TERMS_DIFFER, &none);
    if (s == NULL)
        return STORE_FAIL;
    while ((rc = statement_step(work, s)) == STORE_OK) {
        struct other_terms *items =
            array_grow(list->items, list->count, &list->room, sizeof(*items), SIZE_MAX);
        if (items == NULL)
            break;
        list->items = items;
        struct other_terms *t = &items[list->count++];
        *t = (struct other_terms){.id = sqlite3_column_int64(s, 0),
                                  .open = strdup(column_text(s, 1)),
                                  .listen = strdup(column_text(s, 2)),
                                  .sources = strdup(column_text(s, 3)),
                                  .max_sessions = (unsigned)sqlite3_column_int64(s, 4)};
        if (t->open == NULL || t->listen == NULL || t->sources == NULL)
            break;
    }
    (void)sqlite3_finalize(s);
    return rc == STORE_NONE ? STORE_OK
           : rc == STORE_OK ? store_failed_because(work, "out of memory")
                            : rc;
}

/* Keeps the permits that are also in now. True: some were not. */
static bool keep_permits(struct permit_list *list, const struct permit_list *now)
{
    size_t kept = 0, count = list->count;
    for (size_t i = 0; i < count; i++) {
        bool covered = list->items[i].from_agent; /* judged by the agent's name */
        for (size_t k = 0; k < now->count && !covered; k++)
            covered = permit_contains(&now->items[k], &list->items[i]);
        if (covered)
            list->items[kept++] = list->items[i];
    }
    list->count = kept;
    return kept < count;
}

static bool keep_agents(struct lease *l, const struct lease *now)
{
    size_t kept = 0, count = l->open_agent_count;
    for (size_t i = 0; i < count; i++) {
        bool covered = false;
        for (size_t k = 0; k < now->open_agent_count && !covered; k++)
            covered = strcmp(now->open_agents[k], l->open_agents[i]) == 0;
        if (covered && kept != i)
            memcpy(l->open_agents[kept], l->open_agents[i], sizeof(l->open_agents[i]));
        kept += covered;
    }
    l->open_agent_count = kept;
    return kept < count;
}

/* Of sources that both name, those that are in force: which are narrower is not asked. */
static bool keep_sources(struct lease *l, const struct lease *now)
{
    if (now->from.count == 0 ||
        (now->from.count == l->from.count && memcmp(&now->from, &l->from, sizeof(l->from)) == 0))
        return false;
    l->from = now->from;
    return true;
}

static bool keep_max_sessions(struct lease *l, const struct lease *now)
{
    if (now->max_sessions == 0 || (l->max_sessions != 0 && l->max_sessions <= now->max_sessions))
        return false;
    l->max_sessions = now->max_sessions;
    return true;
}

static enum store_rc write_terms(struct store *work, const struct lease *l, int64_t now_s)
{
    struct terms terms = {{0}, {0}, {0}};
    struct store_conflict conflict;
    sqlite3_stmt *s = statement_get(work, STMT_LEASE_SET);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":id", l->id);
    enum store_rc rc = bind_terms(work, s, l, &terms);
    if (rc == STORE_OK)
        rc = statement_change(work, s);
    if (rc == STORE_OK)
        rc = ports_free(work, l->id, now_s);
    if (rc == STORE_OK)
        rc = ports_acquire(work, l->id, l->name, &l->listen, 0, now_s, &conflict);
    release_terms(&terms);
    return rc;
}

static enum store_rc parse_terms(struct store *work, const struct other_terms *t, struct lease *ret)
{
    if (lease_open_parse(t->open, ret) != 0 || permit_list_parse(t->listen, &ret->listen) != 0 ||
        (t->sources[0] != '\0' && source_list_parse(t->sources, &ret->from) != NULL))
        return store_damaged(work, "terms", t->id);
    ret->max_sessions = t->max_sessions;
    return STORE_OK;
}

static enum store_rc narrow(struct store *work, const struct other_terms *t,
                            const struct restore_request *req)
{
    struct lease l = {0}, now = {0};
    bool less = false;
    enum store_rc rc = store_lease_by_id(work, t->id, &l);
    if (rc == STORE_OK)
        rc = parse_terms(work, t, &now);
    if (rc == STORE_OK && !req->forget_revocations) {
        less = keep_permits(&l.open, &now.open);
        less = keep_agents(&l, &now) || less;
        less = keep_permits(&l.listen, &now.listen) || less;
        less = keep_sources(&l, &now) || less;
        less = keep_max_sessions(&l, &now) || less;
        if (less)
            rc = write_terms(work, &l, req->by.now_s);
    }
    if (rc == STORE_OK &&
        req->found(req->ctx, less ? RESTORED_NARROWED : RESTORED_TERMS, l.id, l.name, l.login) != 0)
        rc = store_failed_because(work, "out of memory");
    lease_release(&l);
    lease_release(&now);
    return rc == STORE_CONFLICT || rc == STORE_NONE ? STORE_FAIL : rc;
}

enum store_rc narrow_leases(struct store *work, const struct restore_request *req)
{
    struct other_terms_list list = {.items = NULL};
    enum store_rc rc = collect(work, &list);
    for (size_t i = 0; rc == STORE_OK && i < list.count; i++)
        rc = narrow(work, &list.items[i], req);
    release(&list);
    return rc;
}
