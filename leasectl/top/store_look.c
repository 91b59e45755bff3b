/* SPDX-License-Identifier: ISC */
#include "leasectl/top/store_look.h"

#include "leasectl/ctl_store.h"
#include "lib/base/array.h"
#include "lib/base/clock.h"
#include "lib/store/connection.h"
#include "lib/store/freezes.h"

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* A file that changes twice within a tick of the kernel's clock has one time: so look again at
 * times, without a reason, too. */
enum { OLD_MS = 10000, AGAIN_AFTER_FAILURE_MS = 5000, GATHERED_MAX = 2 * STORE_LOOK_LEASES_MAX };

/* What the child writes: items of these kinds, one after the other. */
enum item_kind { ITEM_COUNTS, ITEM_LEASE, ITEM_FROZEN, ITEM_WHY, ITEM_END };
struct item {
    enum item_kind kind;
    union {
        struct {
            size_t active, agents;
        };
        struct lease_brief lease;
        char login[LOGIN_NAME_BYTES];
        char why[STORE_ERROR_BYTES];
    };
};

static size_t item_bytes(enum item_kind kind)
{
    const size_t start = offsetof(struct item, lease);
    switch (kind) {
    case ITEM_COUNTS:
        return start + 2 * sizeof(size_t);
    case ITEM_LEASE:
        return start + sizeof(struct lease_brief);
    case ITEM_FROZEN:
        return start + LOGIN_NAME_BYTES;
    case ITEM_WHY:
        return start + STORE_ERROR_BYTES;
    default:
        return start;
    }
}

/* ---- the child ---- */

static int send_item(FILE *to, const struct item *item)
{
    return fwrite(item, item_bytes(item->kind), 1, to) == 1 ? 0 : -1;
}

/* The leases that end soonest, of all that the store has. */
struct gathered {
    struct lease_brief *items;
    size_t count, cap;
    size_t active, agents;
};

static int compare_end(const void *a, const void *b)
{
    const struct lease_brief *x = a, *y = b;
    return x->expires_s < y->expires_s ? -1 : x->expires_s > y->expires_s;
}

static int compare_number(const void *a, const void *b)
{
    const struct lease_brief *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

static void drop_latest(struct gathered *g)
{
    if (g->count <= STORE_LOOK_LEASES_MAX)
        return;
    qsort(g->items, g->count, sizeof(g->items[0]), compare_end);
    g->count = STORE_LOOK_LEASES_MAX;
}

static int gather_lease(void *arg, const struct lease_brief *b)
{
    struct gathered *g = arg;
    if (g->count == GATHERED_MAX)
        drop_latest(g);
    struct lease_brief *items =
        array_grow(g->items, g->count, &g->cap, sizeof(*items), GATHERED_MAX);
    if (items == NULL)
        return -1;
    g->items = items;
    g->items[g->count++] = *b;
    g->active++;
    g->agents += b->is_agent;
    return 0;
}

static int send_leases(FILE *to, struct gathered *g)
{
    struct item item = {.kind = ITEM_COUNTS};
    item.active = g->active;
    item.agents = g->agents;
    int rc = send_item(to, &item);
    drop_latest(g);
    if (g->count > 1)
        qsort(g->items, g->count, sizeof(g->items[0]), compare_number);
    item.kind = ITEM_LEASE;
    for (size_t i = 0; rc == 0 && i < g->count; i++) {
        item.lease = g->items[i];
        rc = send_item(to, &item);
    }
    return rc;
}

static int send_frozen(void *to, const char *login, int64_t since_s)
{
    struct item item = {.kind = ITEM_FROZEN};
    (void)since_s;
    (void)strlcpy(item.login, login, sizeof(item.login));
    return send_item(to, &item);
}

static void send_all(struct ctl *ctl, FILE *to)
{
    struct item last = {.kind = ITEM_END};
    struct gathered gathered = {.items = NULL};
    char why[STORE_ERROR_BYTES];
    ctl->no_answer[0] = '\0';
    if (ctl_open_read_silently(ctl, why) != EXIT_DONE) {
        last.kind = ITEM_WHY;
        (void)strlcpy(last.why, why, sizeof(last.why));
    } else if (store_briefs(ctl->store, clock_now_s(), gather_lease, &gathered) != STORE_OK ||
               send_leases(to, &gathered) != 0 ||
               store_freeze_list(ctl->store, send_frozen, to) != STORE_OK) {
        last.kind = ITEM_WHY;
        (void)snprintf(last.why, sizeof(last.why), "cannot use the store '%s': %s",
                       ctl->conf.paths.database, store_error(ctl->store));
    }
    free(gathered.items);
    ctl_close(ctl);
    (void)send_item(to, &last);
    (void)fflush(to);
}

/* Its standard error is a pipe, too: there the watchdog says why it ends the program. */
static void run_child(struct ctl *ctl, int items_fd, int errors_fd, int close_fd)
{
    sigset_t none;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGINT, SIG_IGN);
    if (close_fd >= 0)
        (void)close(close_fd);
    FILE *to = fdopen(items_fd, "w");
    if (to == NULL || dup2(errors_fd, STDERR_FILENO) < 0)
        _exit(EXIT_FAILED);
    send_all(ctl, to);
    _exit(EXIT_DONE);
}

/* ---- the parent ---- */

struct reading {
    struct store_view *view; /* being filled in */
    size_t cap;
    char buffer[sizeof(struct item) * 64];
    size_t len;
    char errors[STORE_ERROR_BYTES];
    size_t errors_len;
    bool done;
};

static bool take_item(struct reading *r, const char *bytes)
{
    struct item item;
    memcpy(&item.kind, bytes, sizeof(item.kind));
    memcpy(&item, bytes, item_bytes(item.kind));
    struct store_view *v = r->view;
    switch (item.kind) {
    case ITEM_COUNTS:
        v->active = item.active;
        v->agents = item.agents;
        break;
    case ITEM_LEASE: {
        struct lease_brief *leases =
            array_grow(v->leases, v->count, &r->cap, sizeof(*leases), STORE_LOOK_LEASES_MAX);
        if (leases == NULL)
            return false;
        v->leases = leases;
        v->leases[v->count++] = item.lease;
        break;
    }
    case ITEM_FROZEN:
        if (v->frozen_count < STORE_LOOK_FROZEN_MAX)
            (void)strlcpy(v->frozen[v->frozen_count], item.login, LOGIN_NAME_BYTES);
        v->frozen_count++;
        break;
    case ITEM_WHY:
        (void)strlcpy(v->why, item.why, sizeof(v->why));
        r->done = true;
        break;
    case ITEM_END:
        v->is_read = true;
        r->done = true;
        break;
    }
    return true;
}

/* Takes what is whole in the buffer. False: out of memory. */
static bool take_items(struct reading *r)
{
    size_t at = 0;
    enum item_kind kind;
    while (r->len - at >= sizeof(kind) && !r->done) {
        memcpy(&kind, r->buffer + at, sizeof(kind));
        if (r->len - at < item_bytes(kind))
            break;
        if (!take_item(r, r->buffer + at))
            return false;
        at += item_bytes(kind);
    }
    r->len -= at;
    memmove(r->buffer, r->buffer + at, r->len);
    return true;
}

static void read_errors(struct reading *r, int fd)
{
    char text[256];
    ssize_t n = read(fd, text, sizeof(text));
    for (ssize_t i = 0; i < n; i++)
        if (text[i] != '\n' && r->errors_len < sizeof(r->errors) - 1)
            r->errors[r->errors_len++] = text[i];
    r->errors[r->errors_len] = '\0';
}

/* Without "leasectl: top: ". */
static const char *without_prefix(const char *message)
{
    static const char prefix[] = "leasectl: top: ";
    const size_t len = sizeof(prefix) - 1;
    return strncmp(message, prefix, len) == 0 ? message + len : message;
}

/* Reads until the child has said all, has ended, or deadline_ms. NULL, or why not. */
static const char *read_child(struct reading *r, int items_fd, int errors_fd, int64_t deadline_ms)
{
    struct pollfd fds[] = {{.fd = items_fd, .events = POLLIN}, {.fd = errors_fd, .events = POLLIN}};
    while (!r->done) {
        const int64_t left_ms = deadline_ms - clock_monotonic_ms();
        if (left_ms <= 0)
            return "the store takes too long to answer";
        if (poll(fds, 2, (int)left_ms) < 0 && errno != EINTR)
            return strerror(errno);
        if (fds[1].revents != 0)
            read_errors(r, errors_fd);
        if (fds[1].revents & POLLHUP)
            fds[1].fd = -1;
        if (fds[0].revents == 0)
            continue;
        ssize_t n = read(items_fd, r->buffer + r->len, sizeof(r->buffer) - r->len);
        if (n <= 0) {
            read_errors(r, errors_fd);
            return r->errors_len > 0 ? without_prefix(r->errors) : "the store cannot be read";
        }
        r->len += (size_t)n;
        if (!take_items(r))
            return "out of memory";
    }
    return NULL;
}

static void mark_store(const struct ctl *ctl, struct store_mark *ret)
{
    static const char *const suffixes[] = {"", "-wal"};
    memset(ret, 0, sizeof(*ret));
    for (size_t i = 0; i < 2; i++) {
        char path[CONF_PATH_BYTES + 8];
        struct stat st;
        (void)snprintf(path, sizeof(path), "%s%s", ctl->conf.paths.database, suffixes[i]);
        if (lstat(path, &st) != 0)
            continue;
        ret->files[i].inode = st.st_ino;
        ret->files[i].bytes = st.st_size;
        ret->files[i].changed_s = st.st_mtim.tv_sec;
        ret->files[i].changed_ns = st.st_mtim.tv_nsec;
    }
}

static void set_why(struct store_view *view, const char *why)
{
    view->is_read = false;
    (void)strlcpy(view->why, why, sizeof(view->why));
}

static void read_store(struct ctl *ctl, struct store_view *view, int close_fd)
{
    static struct reading r;
    int items[2] = {-1, -1}, errors[2] = {-1, -1};
    r = (struct reading){.view = view};
    if (pipe2(items, O_CLOEXEC) != 0 || pipe2(errors, O_CLOEXEC) != 0) {
        set_why(view, strerror(errno));
    } else {
        (void)fcntl(errors[0], F_SETFL, O_NONBLOCK);
        pid_t pid = fork();
        if (pid == 0)
            run_child(ctl, items[1], errors[1], close_fd);
        (void)close(items[1]);
        (void)close(errors[1]);
        items[1] = errors[1] = -1;
        const char *why =
            pid < 0 ? strerror(errno)
                    : read_child(&r, items[0], errors[0], clock_monotonic_ms() + STORE_LOOK_MS);
        if (why != NULL)
            set_why(view, why);
        if (pid > 0 && !r.done)
            (void)kill(pid, SIGKILL);
        while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    for (size_t i = 0; i < 2; i++) {
        if (items[i] >= 0)
            (void)close(items[i]);
        if (errors[i] >= 0)
            (void)close(errors[i]);
    }
}

void store_look(struct ctl *ctl, struct store_view *view, int close_fd)
{
    struct store_mark mark;
    const int64_t age_ms = clock_monotonic_ms() - view->read_ms;
    mark_store(ctl, &mark);
    const bool is_same = memcmp(&mark, &view->mark, sizeof(mark)) == 0;
    if (view->read_ms != 0 && is_same && age_ms < (view->is_read ? OLD_MS : AGAIN_AFTER_FAILURE_MS))
        return;
    store_view_release(view);
    view->mark = mark;
    read_store(ctl, view, close_fd);
    if (!view->is_read) { /* what was read before it failed is no answer */
        char why[STORE_ERROR_BYTES];
        (void)strlcpy(why, view->why, sizeof(why));
        store_view_release(view);
        set_why(view, why);
        view->mark = mark;
    }
    view->read_ms = clock_monotonic_ms();
}

void store_view_release(struct store_view *view)
{
    free(view->leases);
    *view = (struct store_view){.is_read = false};
}
