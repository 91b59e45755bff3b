/* SPDX-License-Identifier: ISC */
#include "lib/session/sockets.h"

#include "lib/base/array.h"
#include "lib/base/tcp_table.h"
#include "lib/session/process.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHILDREN_MAX = 8 };

/* A socket that a session's process has open, by inode. */
struct open_socket {
    uint64_t inode;
    pid_t pid;
};

struct open_sockets {
    struct open_socket *items;
    size_t count, cap;
    bool failed;
};

static void add_open_socket(struct open_sockets *found, uint64_t inode, pid_t pid)
{
    struct open_socket *items =
        array_grow(found->items, found->count, &found->cap, sizeof(*items), SIZE_MAX);
    if (items == NULL) {
        found->failed = true;
        return;
    }
    found->items = items;
    found->items[found->count++] = (struct open_socket){.inode = inode, .pid = pid};
}

/* 0, or the errno for which it cannot be told whether the descriptor is a socket. One that was
 * closed meanwhile is none. */
static int read_descriptor(int dir_fd, const char *name, pid_t session, struct open_sockets *found)
{
    char target[64];
    uint64_t inode;
    ssize_t n = readlinkat(dir_fd, name, target, sizeof(target) - 1);
    if (n < 0)
        return errno == ENOENT || errno == ESRCH ? 0 : errno;
    target[n] = '\0';
    if (sscanf(target, "socket:[%" SCNu64 "]", &inode) == 1)
        add_open_socket(found, inode, session);
    return 0;
}

static enum sight why_unreadable(pid_t process, int why)
{
    if (why == ESRCH || process_answers(process) == SIGHT_IS_NOT)
        return SIGHT_IS_NOT;
    errno = why;
    return SIGHT_CANNOT_TELL;
}

/* Adds the sockets among the descriptors of process. SIGHT_IS_NOT: there is no such process.
 * SIGHT_CANNOT_TELL, with errno: it may have more than were added. */
static enum sight read_descriptors(pid_t process, pid_t session, struct open_sockets *found)
{
    char path[64];
    const struct dirent *e;
    int why = 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)process);
    DIR *dir = opendir(path);
    if (dir == NULL)
        return why_unreadable(process, errno);
    for (errno = 0; (e = readdir(dir)) != NULL; errno = 0) {
        /* root without CAP_SYS_PTRACE may list descriptors, but not see what they are (proc(5)). */
        if (e->d_name[0] != '.' && why == 0)
            why = read_descriptor(dirfd(dir), e->d_name, session, found);
    }
    why = why == 0 ? errno : why;
    (void)closedir(dir);
    return why == 0 ? SIGHT_IS : why_unreadable(process, why);
}

/* Adds the sockets of a session. False: it may have more. */
static bool read_session(const struct session *s, struct open_sockets *found)
{
    struct process children[CHILDREN_MAX];
    struct open_sockets monitor_sockets = {.items = NULL};
    size_t kept, n, first = found->count;

    if (s->sight != SESSION_LIVE)
        return false;
    if (s->orphan != 0)
        return read_descriptors(s->orphan, s->pid, found) != SIGHT_CANNOT_TELL;
    bool all = process_children(s->pid, s->uid, children, CHILDREN_MAX, &n) != SIGHT_CANNOT_TELL;
    for (size_t i = 0; i < n && i < CHILDREN_MAX; i++)
        all = read_descriptors(children[i].pid, s->pid, found) != SIGHT_CANNOT_TELL && all;
    /* Leaves out the ssh connection, which the monitor has open, too. */
    all = read_descriptors(s->pid, s->pid, &monitor_sockets) != SIGHT_CANNOT_TELL && all;
    kept = first;
    for (size_t i = first; i < found->count; i++) {
        bool of_monitor = false;
        for (size_t j = 0; j < monitor_sockets.count && !of_monitor; j++)
            of_monitor = monitor_sockets.items[j].inode == found->items[i].inode;
        if (!of_monitor)
            found->items[kept++] = found->items[i];
    }
    found->count = kept;
    found->failed = found->failed || monitor_sockets.failed;
    free(monitor_sockets.items);
    return all && n <= CHILDREN_MAX;
}

static int compare_inode(const void *a, const void *b)
{
    const struct open_socket *x = a, *y = b;
    return x->inode < y->inode ? -1 : x->inode > y->inode;
}

static bool format_address(const char *end, bool v6, char out[static SOCKET_TEXT_BYTES],
                           uint16_t *ret_port)
{
    uint32_t words[4];
    char address[INET6_ADDRSTRLEN];
    if (!tcp_end_parse(end, v6, words, ret_port))
        return false;
    /* One who listens for both families sees an IPv4 client so, and the client sees plain IPv4. */
    const bool mapped = v6 && IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)words);
    v6 = v6 && !mapped;
    if (inet_ntop(v6 ? AF_INET6 : AF_INET, mapped ? &words[3] : words, address, sizeof(address)) ==
        NULL)
        return false;
    (void)snprintf(out, SOCKET_TEXT_BYTES, v6 ? "[%s]:%u" : "%s:%u", address, (unsigned)*ret_port);
    return true;
}

struct table_scan {
    struct open_sockets *open_sockets;
    struct socket_list *out;
    size_t cap;
    bool v6;
    int failed; /* errno, if there was no memory for one more */
};

static int add_socket(struct table_scan *scan, const struct session_socket *s)
{
    struct session_socket *items =
        array_grow(scan->out->items, scan->out->count, &scan->cap, sizeof(*items), SIZE_MAX);
    if (items == NULL)
        return -1;
    scan->out->items = items;
    scan->out->items[scan->out->count++] = *s;
    return 0;
}

/* A connection that is closed in one direction still carries data in the other. */
static bool is_in_use(unsigned state)
{
    return state == TCP_ESTABLISHED_STATE || state == TCP_SYN_SENT_STATE ||
           state == TCP_LISTEN_STATE || state == TCP_FIN_WAIT1_STATE ||
           state == TCP_FIN_WAIT2_STATE || state == TCP_CLOSE_WAIT_STATE;
}

static bool add_line(void *ctx, const char *line)
{
    struct table_scan *scan = ctx;
    struct tcp_line l;
    struct session_socket s = {.remote = ""};
    if (!tcp_line_parse(line, &l) || !is_in_use(l.state))
        return true;
    const struct open_socket key = {.inode = tcp_line_inode(&l)};
    const struct open_socket *match = bsearch(
        &key, scan->open_sockets->items, scan->open_sockets->count, sizeof(key), compare_inode);
    if (match == NULL)
        return true;
    s.pid = match->pid;
    s.inode = match->inode;
    s.state = l.state;
    s.listening = l.state == TCP_LISTEN_STATE;
    if (format_address(l.local, scan->v6, s.local, &s.port) &&
        (s.listening || format_address(l.remote, scan->v6, s.remote, &s.remote_port)) &&
        add_socket(scan, &s) != 0)
        scan->failed = errno;
    return scan->failed == 0;
}

static int read_table(struct table_scan *scan, bool v6)
{
    struct tcp_table table;
    int more = 1;
    scan->v6 = v6;
    if (tcp_table_open(&table, 0, v6) != 0)
        return errno == ENOENT && v6 ? 0 : -1; /* no IPv6 */
    while (more == 1)
        more = tcp_table_read(&table, add_line, scan);
    if (scan->failed == 0)
        return more;
    errno = scan->failed;
    return -1;
}

static int compare_socket(const void *a, const void *b)
{
    const struct session_socket *x = a, *y = b;
    if (x->pid != y->pid)
        return x->pid < y->pid ? -1 : 1;
    if (x->listening != y->listening)
        return x->listening ? -1 : 1;
    if (x->port != y->port)
        return x->port < y->port ? -1 : 1;
    return strcmp(x->local, y->local);
}

/* Looks the open sockets up in the tables, adds them to out, and releases it if that fails. */
static int look_up(struct open_sockets *found, struct socket_list *out)
{
    struct table_scan scan = {.open_sockets = found, .out = out};
    if (found->failed) {
        socket_list_release(out);
        errno = ENOMEM;
        return -1;
    }
    if (found->count > 1)
        qsort(found->items, found->count, sizeof(found->items[0]), compare_inode);
    if (found->count > 0 && (read_table(&scan, false) != 0 || read_table(&scan, true) != 0)) {
        socket_list_release(out);
        return -1;
    }
    if (out->count > 1)
        qsort(out->items, out->count, sizeof(out->items[0]), compare_socket);
    return 0;
}

int sockets_read(const struct session_list *list, struct socket_list *ret)
{
    struct open_sockets found = {.items = NULL};
    struct socket_list out = {.seen = calloc(list->count + 1, sizeof(*out.seen))};
    if (out.seen == NULL)
        return -1;
    for (size_t i = 0; i < list->count; i++) {
        out.seen[i] = read_session(&list->items[i], &found);
        out.unseen += !out.seen[i];
    }
    int rc = look_up(&found, &out);
    if (rc == 0)
        *ret = out;
    free(found.items);
    return rc;
}

int sockets_read_of(const pid_t *pids, size_t count, struct socket_list *ret)
{
    struct open_sockets found = {.items = NULL};
    struct socket_list out = {.items = NULL};
    for (size_t i = 0; i < count; i++)
        out.unseen += read_descriptors(pids[i], pids[i], &found) == SIGHT_CANNOT_TELL;
    int rc = look_up(&found, &out);
    if (rc == 0)
        *ret = out;
    free(found.items);
    return rc;
}

bool socket_was_accepted(const struct socket_list *list, const struct session_socket *s)
{
    const struct session_socket first = {.pid = s->pid, .listening = true};
    size_t low = 0, high = list->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (compare_socket(&list->items[middle], &first) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < list->count && list->items[low].pid == s->pid && list->items[low].listening; low++)
        if (list->items[low].port == s->port)
            return true;
    return false;
}

bool sockets_are_one_connection(const struct session_socket *a, const struct session_socket *b)
{
    return !a->listening && !b->listening && a->port == b->remote_port &&
           a->remote_port == b->port && strcmp(a->local, b->remote) == 0 &&
           strcmp(a->remote, b->local) == 0;
}

struct other_end {
    const struct session_socket *of;
    bool v6, found;
};

static bool is_other_end(void *ctx, const char *line)
{
    struct other_end *other = ctx;
    struct tcp_line l;
    struct session_socket s = {.remote = ""};
    if (tcp_line_parse(line, &l) && l.state == TCP_ESTABLISHED_STATE &&
        l.port == other->of->remote_port && format_address(l.local, other->v6, s.local, &s.port) &&
        format_address(l.remote, other->v6, s.remote, &s.remote_port))
        other->found = sockets_are_one_connection(other->of, &s);
    return !other->found;
}

enum sight socket_other_end_is_here(const struct session_socket *s)
{
    struct other_end other = {.of = s};
    for (int v6 = 0; v6 < 2 && !other.found; v6++) {
        struct tcp_table table;
        int more = 1;
        other.v6 = v6 == 1;
        if (tcp_table_open(&table, 0, other.v6) != 0) {
            if (errno == ENOENT && other.v6) /* no IPv6 */
                break;
            return SIGHT_CANNOT_TELL;
        }
        while (more == 1)
            more = tcp_table_read(&table, is_other_end, &other);
        if (more < 0)
            return SIGHT_CANNOT_TELL;
    }
    return other.found ? SIGHT_IS : SIGHT_IS_NOT;
}

void socket_list_release(struct socket_list *list)
{
    free(list->items);
    free(list->seen);
    *list = (struct socket_list){.items = NULL};
}
