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
struct holding {
    uint64_t inode;
    pid_t pid;
};

struct holdings {
    struct holding *items;
    size_t count, cap;
    bool failed;
};

static void add_holding(struct holdings *h, uint64_t inode, pid_t pid)
{
    struct holding *items = array_grow(h->items, h->count, &h->cap, sizeof(*items), SIZE_MAX);
    if (items == NULL) {
        h->failed = true;
        return;
    }
    h->items = items;
    h->items[h->count++] = (struct holding){.inode = inode, .pid = pid};
}

/* The descriptors of process that are sockets. SIGHT_IS_NOT: there is no such process. */
static enum sight read_descriptors(pid_t process, pid_t session, struct holdings *h)
{
    char path[64], target[64];
    uint64_t inode;
    (void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)process);
    DIR *dir = opendir(path);
    if (dir == NULL) {
        int why = errno;
        if (why == ESRCH || process_answers(process) == SIGHT_IS_NOT)
            return SIGHT_IS_NOT;
        errno = why;
        return SIGHT_CANNOT_TELL;
    }
    for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
        ssize_t n = readlinkat(dirfd(dir), e->d_name, target, sizeof(target) - 1);
        if (n <= 0)
            continue;
        target[n] = '\0';
        if (sscanf(target, "socket:[%" SCNu64 "]", &inode) == 1)
            add_holding(h, inode, session);
    }
    (void)closedir(dir);
    return SIGHT_IS;
}

/* False: there may be more than was added. */
static bool read_session(const struct session *s, struct holdings *h)
{
    struct process children[CHILDREN_MAX];
    struct holdings shared = {.items = NULL};
    size_t kept, n, first = h->count;

    if (s->sight != SESSION_LIVE)
        return false;
    if (s->orphan != 0)
        return read_descriptors(s->orphan, s->pid, h) != SIGHT_CANNOT_TELL;
    bool all = process_children(s->pid, s->uid, children, CHILDREN_MAX, &n) != SIGHT_CANNOT_TELL;
    for (size_t i = 0; i < n && i < CHILDREN_MAX; i++)
        all = read_descriptors(children[i].pid, s->pid, h) != SIGHT_CANNOT_TELL && all;
    /* The ssh connection is the monitor's too. */
    all = read_descriptors(s->pid, s->pid, &shared) != SIGHT_CANNOT_TELL && all;
    kept = first;
    for (size_t i = first; i < h->count; i++) {
        bool of_monitor = false;
        for (size_t j = 0; j < shared.count && !of_monitor; j++)
            of_monitor = shared.items[j].inode == h->items[i].inode;
        if (!of_monitor)
            h->items[kept++] = h->items[i];
    }
    h->count = kept;
    h->failed = h->failed || shared.failed;
    free(shared.items);
    return all && n <= CHILDREN_MAX;
}

static int compare_inode(const void *a, const void *b)
{
    const struct holding *x = a, *y = b;
    return x->inode < y->inode ? -1 : x->inode > y->inode;
}

static bool format_end(const char *end, bool v6, char out[static SOCKET_TEXT_BYTES],
                       uint16_t *ret_port)
{
    uint32_t words[4];
    char address[INET6_ADDRSTRLEN];
    if (!tcp_end_parse(end, v6, words, ret_port) ||
        inet_ntop(v6 ? AF_INET6 : AF_INET, words, address, sizeof(address)) == NULL)
        return false;
    (void)snprintf(out, SOCKET_TEXT_BYTES, v6 ? "[%s]:%u" : "%s:%u", address, (unsigned)*ret_port);
    return true;
}

struct reading {
    struct holdings *holdings;
    struct socket_list *out;
    size_t cap;
    bool v6;
    int failed; /* errno, once there was no room for one more */
};

static int add_socket(struct reading *in, const struct session_socket *s)
{
    struct session_socket *items =
        array_grow(in->out->items, in->out->count, &in->cap, sizeof(*items), SIZE_MAX);
    if (items == NULL)
        return -1;
    in->out->items = items;
    in->out->items[in->out->count++] = *s;
    return 0;
}

static bool take_line(void *ctx, const char *line)
{
    struct reading *in = ctx;
    struct tcp_line l;
    uint16_t port;
    struct session_socket s = {.remote = ""};
    if (!tcp_line_parse(line, &l) || (l.state != TCP_ESTABLISHED_STATE &&
                                      l.state != TCP_SYN_SENT_STATE && l.state != TCP_LISTEN_STATE))
        return true;
    const struct holding key = {.inode = tcp_line_inode(&l)};
    const struct holding *h =
        bsearch(&key, in->holdings->items, in->holdings->count, sizeof(key), compare_inode);
    if (h == NULL)
        return true;
    s.pid = h->pid;
    s.listening = l.state == TCP_LISTEN_STATE;
    if (format_end(l.local, in->v6, s.local, &s.port) &&
        (s.listening || format_end(l.remote, in->v6, s.remote, &port)) && add_socket(in, &s) != 0)
        in->failed = errno;
    return in->failed == 0;
}

static int read_table(struct reading *in, bool v6)
{
    struct tcp_table table;
    int more = 1;
    in->v6 = v6;
    if (tcp_table_open(&table, 0, v6) != 0)
        return errno == ENOENT && v6 ? 0 : -1; /* no IPv6 */
    while (more == 1)
        more = tcp_table_read(&table, take_line, in);
    if (in->failed == 0)
        return more;
    errno = in->failed;
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

int sockets_read(const struct session_list *list, struct socket_list *ret)
{
    struct holdings h = {.items = NULL};
    struct socket_list out = {.items = NULL};
    struct reading in = {.holdings = &h, .out = &out};
    int rc = -1;

    for (size_t i = 0; i < list->count; i++)
        out.unseen += !read_session(&list->items[i], &h);
    if (h.failed)
        goto out;
    if (h.count > 1)
        qsort(h.items, h.count, sizeof(h.items[0]), compare_inode);
    if (h.count > 0 && (read_table(&in, false) != 0 || read_table(&in, true) != 0))
        goto out;
    if (out.count > 1)
        qsort(out.items, out.count, sizeof(out.items[0]), compare_socket);
    *ret = out;
    out = (struct socket_list){.items = NULL};
    rc = 0;
out:
    free(h.items);
    socket_list_release(&out);
    return rc;
}

void socket_list_release(struct socket_list *list)
{
    free(list->items);
    *list = (struct socket_list){.items = NULL};
}
