/* SPDX-License-Identifier: ISC */
#include "lib/session/join_session.h"

#include "lib/base/clock.h"
#include "lib/session/entry.h"
#include "lib/session/process.h"
#include "lib/session/registry_read.h"
#include "lib/session/registry_remove.h"
#include "lib/session/run_dir.h"

#include <arpa/inet.h>
#include <bsd/string.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    ANCESTORS_MAX = 16,    /* sshd's monitor is the third at most: program, child, monitor */
    REMOVED_MOST = 250,    /* entries of the dead, by one login: a few milliseconds */
    IPV6_PREFIX_BYTES = 8, /* a /64 is one network of one customer */
    CHILDREN_MAX = 4,      /* of a connection: sshd's child, and the program of its one session */
};

static int join_path(const char *run_dir, char out[static PATH_MAX])
{
    int n = snprintf(out, PATH_MAX, "%s/" JOIN_DIRECTORY, run_dir);
    if (n > 0 && n < PATH_MAX)
        return 0;
    errno = ENAMETOOLONG;
    return -1;
}

int join_registry_open(const char *run_dir, bool for_writing, struct registry *ret)
{
    char path[PATH_MAX];
    if (join_path(run_dir, path) != 0)
        return -1;
    if (registry_open(path, for_writing, ret) == 0)
        return 0;
    if (!for_writing || errno != ENOENT || geteuid() != 0 || run_dir_make(run_dir) != 0)
        return -1;
    return registry_open(path, for_writing, ret);
}

/* ---- the connection of a process ---- */

/* Whether p is the monitor of a registered connection. */
static enum sight entry_of(const struct registry *r, const struct process *p, struct session *ret)
{
    struct session s;
    enum sight sight = entry_read(r, JOIN_SESSION_ID, p->pid, &s);
    if (sight != SIGHT_IS)
        return sight;
    sight = origin_is_here(&r->here, &s.origin, s.since_s);
    int why = errno;
    /* An entry that outlived its process says nothing about the next one with that pid. */
    if (sight == SIGHT_IS && s.start_ticks != p->start_ticks)
        sight = SIGHT_IS_NOT;
    if (sight == SIGHT_IS)
        *ret = s;
    else
        session_release(&s);
    errno = why;
    return sight;
}

static enum sight find_by_ancestors(const struct registry *r, pid_t pid, struct session *ret)
{
    uint64_t child_start_ticks = UINT64_MAX;
    for (int i = 0; i < ANCESTORS_MAX && pid > 1; i++) {
        struct process p;
        enum sight sight = process_read_stat(pid, &p);
        if (sight != SIGHT_IS)
            return sight;
        /* No parent is younger than its child: the parent ended, and this is the next process that
         * has its pid. */
        if (p.start_ticks > child_start_ticks)
            return SIGHT_IS_NOT;
        sight = entry_of(r, &p, ret);
        if (sight != SIGHT_IS_NOT)
            return sight;
        child_start_ticks = p.start_ticks;
        pid = p.parent;
    }
    return SIGHT_IS_NOT;
}

enum sight join_session_of(const char *run_dir, pid_t pid, struct session *ret)
{
    struct registry r;
    if (pid <= 0) { /* SO_PEERCRED: the peer has no pid here */
        errno = EXDEV;
        return SIGHT_CANNOT_TELL;
    }
    if (join_registry_open(run_dir, false, &r) != 0)
        return errno == ENOENT ? SIGHT_IS_NOT : SIGHT_CANNOT_TELL;
    enum sight sight = find_by_ancestors(&r, pid, ret);
    int why = errno;
    registry_close(&r);
    errno = why;
    return sight;
}

/* ---- the limits ---- */

struct source_key {
    unsigned char bytes[sizeof(struct in6_addr)];
    size_t len; /* 0: not known */
};

/* What counts as one source: an IPv4 address, also where IPv6 maps it, or an IPv6 /64. */
static struct source_key source_key(const char *source)
{
    struct source_key key = {.len = 0};
    struct in6_addr v6;
    char address[SESSION_ADDRESS_BYTES];
    (void)strlcpy(address, source, sizeof(address));
    address[strcspn(address, "%")] = '\0';
    if (inet_pton(AF_INET, address, key.bytes) == 1) {
        key.len = sizeof(struct in_addr);
    } else if (inet_pton(AF_INET6, address, &v6) == 1) {
        bool mapped = IN6_IS_ADDR_V4MAPPED(&v6);
        key.len = mapped ? sizeof(struct in_addr) : IPV6_PREFIX_BYTES;
        memcpy(key.bytes, v6.s6_addr + (mapped ? 12 : 0), key.len);
    }
    return key;
}

/* A source that is not known is like each other one. */
static bool is_same_source(const struct source_key *a, const struct source_key *b)
{
    return a->len == 0 || b->len == 0 ||
           (a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0);
}

static size_t count_of_source(const struct session_list *list, const char *source)
{
    const struct source_key wanted = source_key(source);
    size_t n = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct source_key key = source_key(list->items[i].source);
        n += is_same_source(&wanted, &key);
    }
    return n;
}

/* Of two that began in one tick, the lower pid is the older one. */
static bool is_older(const struct session *a, const struct session *b)
{
    return a->start_ticks < b->start_ticks || (a->start_ticks == b->start_ticks && a->pid < b->pid);
}

/* Whether the program of the connection only waits to say that the code was wrong. Where that
 * cannot be seen, it is as one that has not been judged. */
static bool is_refused(const struct session *s)
{
    struct process children[CHILDREN_MAX], programs[CHILDREN_MAX];
    size_t child_count = 0, program_count = 0;
    (void)process_children(s->pid, s->uid, children, CHILDREN_MAX, &child_count);
    for (size_t i = 0; i < child_count && i < CHILDREN_MAX; i++) {
        (void)process_children(children[i].pid, s->uid, programs, CHILDREN_MAX, &program_count);
        for (size_t k = 0; k < program_count && k < CHILDREN_MAX; k++)
            if (strcmp(programs[k].name, JOIN_REFUSED_NAME) == 0)
                return true;
    }
    return false;
}

/* The oldest connection whose code was wrong, of source or (NULL) of all; SIZE_MAX: there is none,
 * or none was found by deadline_ms. */
static size_t find_refused(const struct session_list *list, const char *source, int64_t deadline_ms)
{
    const struct source_key wanted = source_key(source != NULL ? source : "");
    size_t found = SIZE_MAX;
    for (size_t i = 0; i < list->count && clock_monotonic_ms() < deadline_ms; i++) {
        const struct session *s = &list->items[i];
        const struct source_key key = source_key(s->source);
        if (s->sight != SESSION_LIVE || (source != NULL && !is_same_source(&wanted, &key)) ||
            (found != SIZE_MAX && !is_older(s, &list->items[found])))
            continue;
        if (is_refused(s))
            found = i;
    }
    return found;
}

/* Of those that were not judged yet; SIZE_MAX: none of them can be ended. */
static size_t find_unjudged(const struct session_list *list)
{
    size_t found = SIZE_MAX, most = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct session *s = &list->items[i];
        const size_t of_source = count_of_source(list, s->source);
        if (s->sight != SESSION_LIVE || of_source < most)
            continue;
        if (of_source > most || is_older(s, &list->items[found]))
            found = i;
        most = of_source;
    }
    return found;
}

static bool is_item(void *ctx, const struct session *s)
{
    const struct session *wanted = ctx;
    return s->pid == wanted->pid && s->start_ticks == wanted->start_ticks;
}

/* A list of that connection alone; or an empty one. */
static struct session_list list_of_one(const struct session_list *list, size_t i)
{
    struct session_list one = {.items = NULL};
    if (i != SIZE_MAX && session_list_copy(list, &one) == 0)
        session_list_filter(&one, is_item, &list->items[i]);
    return one;
}

enum sight join_session_has_room(const struct registry *r, const char *source, int64_t deadline_ms,
                                 struct session_list *ret_leaves, bool *ret_is_refused,
                                 const char **ret_why)
{
    struct session_list list;
    size_t leaving = SIZE_MAX;
    enum sight sight = SIGHT_IS;
    if (registry_read_open(r, JOIN_SESSION_ID, deadline_ms, &list) != 0)
        return SIGHT_CANNOT_TELL;
    *ret_leaves = (struct session_list){.items = NULL};
    *ret_is_refused = false;
    if (count_of_source(&list, source) >= JOIN_SOURCE_MAX) {
        *ret_why = "as many join connections stand as one source may have";
        leaving = find_refused(&list, source, deadline_ms);
        sight = SIGHT_IS_NOT;
        *ret_is_refused = leaving != SIZE_MAX;
    } else if (list.count >= JOIN_SESSIONS_MAX) {
        *ret_why = "as many join connections stand as there may be in all";
        leaving = find_refused(&list, NULL, deadline_ms);
        *ret_is_refused = leaving != SIZE_MAX;
        if (leaving == SIZE_MAX)
            leaving = find_unjudged(&list);
        sight = SIGHT_IS_NOT;
    }
    if (leaving != SIZE_MAX)
        *ret_leaves = list_of_one(&list, leaving);
    (void)registry_remove_dead_locked(r, JOIN_SESSION_ID, &list, REMOVED_MOST);
    session_list_release(&list);
    return sight;
}
