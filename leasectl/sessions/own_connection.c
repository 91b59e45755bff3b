/* SPDX-License-Identifier: ISC */
#include "leasectl/sessions/own_connection.h"

#include "leasectl/host/account.h"
#include "lib/session/listeners.h"
#include "lib/session/process.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* *ret_tunnel: one of them runs as a tunnel login, so it is the child of a session. */
static enum sight read_ancestors(const struct ctl *ctl, struct own_connection *own,
                                 bool *ret_tunnel)
{
    struct process p;
    /* pid 1 holds connections of others (socket units). */
    for (pid_t pid = getppid(); pid > 1 && own->ancestor_count < OWN_ANCESTORS_MAX;
         pid = p.parent) {
        enum sight sight = process_read(pid, &p);
        if (sight == SIGHT_CANNOT_TELL)
            return sight;
        if (sight == SIGHT_IS_NOT)
            break;
        const struct passwd *pw = p.uid != 0 ? getpwuid(p.uid) : NULL;
        *ret_tunnel =
            *ret_tunnel || (pw != NULL && account_in_group(pw->pw_name, ctl->conf.tunnel_group));
        own->ancestors[own->ancestor_count++] = pid;
    }
    return SIGHT_IS;
}

static bool is_sshd(pid_t pid)
{
    char path[64], name[32] = "";
    (void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return false;
    const bool read = fgets(name, sizeof(name), f) != NULL;
    (void)fclose(f);
    return read && strncmp(name, "sshd", 4) == 0;
}

static bool has_sshd(const struct own_connection *own)
{
    for (size_t i = 0; i < own->ancestor_count; i++)
        if (is_sshd(own->ancestors[i]))
            return true;
    return false;
}

static bool listens_itself(const struct socket_list *sockets, const struct session_socket *s)
{
    for (size_t i = 0; i < sockets->count; i++)
        if (sockets->items[i].listening && sockets->items[i].pid == s->pid &&
            sockets->items[i].port == s->port)
            return true;
    return false;
}

/* True for a connection to a port that somebody else listens on: the first sshd's, for one. What
 * came in to a port of its own is a forward (ssh -R), and what did not come in is one (ssh -L). */
static bool came_to_sshd(const struct socket_list *sockets, const struct listeners *listeners,
                         const struct session_socket *s)
{
    return !s->listening && listeners_has(listeners, s->port) && !listens_itself(sockets, s);
}

/* Where nobody listens on sshd's port any more, its own connection looks like a forward. */
static bool is_of_sshd(const struct socket_list *sockets, const struct listeners *listeners,
                       const struct session_socket *s)
{
    if (came_to_sshd(sockets, listeners, s))
        return true;
    for (size_t i = 0; i < sockets->count; i++)
        if (sockets->items[i].pid == s->pid && came_to_sshd(sockets, listeners, &sockets->items[i]))
            return false;
    return !s->listening;
}

/*
 * Keeps those that the admin may work through. An sshd above us has one. Another program, such as a
 * terminal on a web page, has those of all its clients: they are asked about on a terminal, but
 * must not stop a service that revokes the lease of one of them.
 */
static enum sight keep_incoming(struct socket_list *sockets)
{
    const bool has_terminal = isatty(STDIN_FILENO) == 1;
    struct listeners listeners;
    struct socket_list kept = {.unseen = sockets->unseen};
    if (sockets->count == 0)
        return SIGHT_IS;
    kept.items = calloc(sockets->count, sizeof(*kept.items));
    if (kept.items == NULL || listeners_read(&listeners) != 0) {
        free(kept.items);
        return SIGHT_CANNOT_TELL;
    }
    for (size_t i = 0; i < sockets->count; i++) {
        const struct session_socket *s = &sockets->items[i];
        if (is_sshd(s->pid) ? is_of_sshd(sockets, &listeners, s)
                            : has_terminal && !s->listening && listeners_has(&listeners, s->port))
            kept.items[kept.count++] = *s;
    }
    socket_list_release(sockets);
    *sockets = kept;
    return SIGHT_IS;
}

enum sight own_connection_read(const struct ctl *ctl, struct own_connection *ret)
{
    struct own_connection own = {.ancestor_count = 0};
    bool is_tunnel = false;
    enum sight sight = read_ancestors(ctl, &own, &is_tunnel);
    if (sight == SIGHT_IS && sockets_read_of(own.ancestors, own.ancestor_count, &own.sockets) != 0)
        sight = SIGHT_CANNOT_TELL;
    if (sight == SIGHT_IS && own.sockets.unseen > 0 && has_sshd(&own)) {
        errno = EACCES; /* root without CAP_SYS_PTRACE, as in a container */
        sight = SIGHT_CANNOT_TELL;
    }
    if (sight == SIGHT_IS)
        sight = keep_incoming(&own.sockets);
    if (sight == SIGHT_IS)
        sight = is_tunnel ? SIGHT_IS : SIGHT_IS_NOT;
    for (size_t i = 0; sight == SIGHT_IS_NOT && i < own.sockets.count; i++)
        sight = socket_other_end_is_here(&own.sockets.items[i]);
    if (sight == SIGHT_IS)
        *ret = own;
    else
        own_connection_release(&own);
    return sight;
}

static bool joins(const struct socket_list *sockets, pid_t pid, const struct socket_list *way)
{
    for (size_t i = 0; i < sockets->count; i++)
        for (size_t j = 0; sockets->items[i].pid == pid && j < way->count; j++)
            if (sockets_are_one_connection(&sockets->items[i], &way->items[j]))
                return true;
    return false;
}

static bool is_ancestor(const struct own_connection *own, pid_t pid)
{
    for (size_t i = 0; i < own->ancestor_count; i++)
        if (own->ancestors[i] == pid)
            return true;
    return false;
}

/* Marks the sessions that carry a connection of way. A session may itself come through another one,
 * so its own ssh connection is the next part of the way. */
static enum sight mark_carriers(const struct session_list *live, const struct socket_list *sockets,
                                const struct socket_list *way, bool *own)
{
    enum sight found = SIGHT_IS_NOT;
    for (size_t i = 0; i < live->count; i++) {
        const pid_t pid = live->items[i].orphan != 0 ? live->items[i].orphan : live->items[i].pid;
        struct socket_list next = {.items = NULL};
        if (own[i] || !joins(sockets, live->items[i].pid, way))
            continue;
        own[i] = true;
        found = SIGHT_IS;
        if (sockets_read_of(&pid, 1, &next) == 0)
            (void)mark_carriers(live, sockets, &next, own);
        socket_list_release(&next);
    }
    return found;
}

enum sight own_connection_uses(const struct own_connection *own, const struct session_list *live,
                               const struct socket_list *sockets, bool *ret_own)
{
    enum sight found = SIGHT_IS_NOT;
    for (size_t i = 0; i < live->count; i++) {
        ret_own[i] = is_ancestor(own, live->items[i].pid) ||
                     (live->items[i].orphan != 0 && is_ancestor(own, live->items[i].orphan));
        found = ret_own[i] ? SIGHT_IS : found;
    }
    if (mark_carriers(live, sockets, &own->sockets, ret_own) == SIGHT_IS)
        found = SIGHT_IS;
    return found == SIGHT_IS_NOT && sockets->unseen > 0 ? SIGHT_CANNOT_TELL : found;
}

void own_connection_release(struct own_connection *own)
{
    socket_list_release(&own->sockets);
    *own = (struct own_connection){.ancestor_count = 0};
}
