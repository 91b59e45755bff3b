/* SPDX-License-Identifier: ISC */
#include "leasectl/top/top.h"

#include "leasectl/top/action.h"
#include "leasectl/top/draw.h"
#include "leasectl/top/frame.h"
#include "leasectl/top/keys.h"
#include "leasectl/top/model.h"
#include "leasectl/top/signals.h"
#include "leasectl/top/terminal.h"
#include "leasectl/top/view.h"
#include "lib/base/clock.h"
#include "lib/session/process.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <termios.h>
#include <unistd.h>

enum { PAGE_LINES = 10, MESSAGE_MS = 10000 };

struct top {
    struct ctl *ctl;
    const struct top_request *req;
    struct terminal terminal;
    struct model model;
    struct view view;
    struct frame shown, wanted;
    bool is_new; /* the terminal shows something else than `shown` */
    bool quits;
    int failed;           /* errno: the terminal is gone, or memory is */
    struct action action; /* what runs, or is asked about */
    pid_t asked_pid;      /* of the session that is to be killed; 0: none */
    uint64_t asked_start_ticks;
    struct buf message;
    int64_t message_ms; /* until then it stays */
    int64_t look_ms;    /* the next look is due */
    int64_t looks;
    sigset_t waiting; /* the signals that are blocked while top waits */
};

/* ---- signals ---- */

static void take_signals(struct top *t)
{
    const struct signals signals = signals_take();
    bool go_on = signals.go_on;
    t->quits = t->quits || signals.end;
    if (signals.stop && !t->quits) {
        terminal_hide(&t->terminal);
        signals_stop_here();
        go_on = true;
    }
    if (go_on && !t->quits) {
        if (terminal_show(&t->terminal) != 0)
            t->failed = errno;
        t->is_new = true;
    }
    t->is_new = t->is_new || signals.resized;
}

/* ---- messages and questions ---- */

static void say(struct top *t, const char *text)
{
    buf_clear(&t->message);
    buf_add(&t->message, text);
    t->message_ms = clock_monotonic_ms() + MESSAGE_MS;
    t->view.asks = false;
}

static void set_message(struct top *t)
{
    if (action_asks(&t->action))
        t->view.message = buf_text_or(&t->action.output, "out of memory");
    else if (t->message.len > 0 && (t->view.asks || clock_monotonic_ms() < t->message_ms))
        t->view.message = buf_text_or(&t->message, "out of memory");
    else
        t->view.message = NULL;
}

/* ---- kill and revoke ---- */

static void set_args(struct action *a, const char *command, const char *option, const char *value)
{
    a->arg_count = 0;
    (void)snprintf(a->args[a->arg_count++], ACTION_ARG_BYTES, "%s", command);
    if (option != NULL)
        (void)snprintf(a->args[a->arg_count++], ACTION_ARG_BYTES, "%s", option);
    (void)snprintf(a->args[a->arg_count++], ACTION_ARG_BYTES, "%s", value);
}

static void ask_kill(struct top *t)
{
    const struct session *s = view_session(&t->view, &t->model);
    const struct lease_brief *l = view_lease(&t->view, &t->model);
    char value[ACTION_ARG_BYTES];
    t->asked_pid = s != NULL ? s->pid : 0;
    t->asked_start_ticks = s != NULL ? s->start_ticks : 0;
    if (s != NULL) {
        (void)snprintf(value, sizeof(value), "%d", (int)s->pid);
        set_args(&t->action, "kill", "--pid", value);
        buf_addf(&t->message, "Kill the session of '%s' from %s (pid %d)? [y/N] ", s->lease,
                 s->source[0] != '\0' ? s->source : "?", (int)s->pid);
    } else if (l != NULL) {
        (void)snprintf(value, sizeof(value), "#%" PRId64, l->id);
        set_args(&t->action, "kill", NULL, value);
        buf_addf(&t->message, "Kill all sessions of '%s' (#%" PRId64 ")? [y/N] ", l->name, l->id);
    }
    t->action.run = t->req->kill;
}

static void ask_revoke(struct top *t)
{
    const struct session *s = view_session(&t->view, &t->model);
    const struct lease_brief *l = view_lease(&t->view, &t->model);
    char value[ACTION_ARG_BYTES];
    t->asked_pid = 0;
    if (s == NULL && l == NULL)
        return;
    const int64_t id = s != NULL ? s->lease_id : l->id;
    (void)snprintf(value, sizeof(value), "#%" PRId64, id);
    set_args(&t->action, "revoke", NULL, value);
    buf_addf(&t->message, "Revoke '%s' (#%" PRId64 ") for good? Its sessions end at once. [y/N] ",
             s != NULL ? s->lease : l->name, id);
    t->action.run = t->req->revoke;
}

static void ask(struct top *t, bool revoke)
{
    if (t->action.pid != 0)
        return;
    buf_clear(&t->message);
    if (revoke)
        ask_revoke(t);
    else
        ask_kill(t);
    t->view.asks = t->message.len > 0;
    if (t->view.asks)
        (void)tcflush(STDIN_FILENO, TCIFLUSH); /* what was typed before is no answer */
}

static void answer(struct top *t, bool yes)
{
    const char *const command = t->action.args[0];
    if (action_asks(&t->action)) {
        action_answer(&t->action, yes);
        return;
    }
    if (!yes) {
        say(t, strcmp(command, "kill") == 0 ? "not killed" : "not revoked");
    } else if (t->asked_pid != 0 && process_is(t->asked_pid, t->asked_start_ticks) != SIGHT_IS) {
        say(t, "the session has ended: nothing was killed"); /* its pid may be another's now */
    } else if (action_start(t->ctl, &t->action, t->terminal.guard_fd) != 0) {
        say(t, strerror(errno));
    } else {
        say(t, "...");
    }
}

static void end_action(struct top *t)
{
    struct buf summary = {0};
    action_add_summary(&t->action, &summary);
    const char *silent =
        action_has_failed(&t->action) ? "it ended without a word: is it done?" : "done";
    say(t, summary.len > 0 ? buf_text_or(&summary, "out of memory") : silent);
    buf_release(&summary);
    action_release(&t->action);
    t->look_ms = 0; /* at once */
}

/* ---- keys ---- */

static bool asks(const struct top *t)
{
    return t->view.asks || action_asks(&t->action);
}

static bool move(struct top *t, int key)
{
    static const struct {
        int key, lines;
    } moves[] = {{KEY_UP, -1},
                 {'i', -1},
                 {KEY_DOWN, 1},
                 {'j', 1},
                 {KEY_PAGE_UP, -PAGE_LINES},
                 {KEY_PAGE_DOWN, PAGE_LINES},
                 {KEY_HOME, INT_MIN},
                 {KEY_END, INT_MAX}};
    for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++)
        if (moves[i].key == key) {
            view_move(&t->view, &t->model, moves[i].lines);
            return true;
        }
    return false;
}

static bool sort_by(struct top *t, int key)
{
    static const struct {
        int key;
        enum view_order order;
    } orders[] = {{'b', ORDER_BYTES}, {'t', ORDER_RATE}, {'n', ORDER_NAME},
                  {'a', ORDER_AGE},   {'e', ORDER_END},  {'c', ORDER_SESSIONS}};
    if (key == 's')
        view_next_order(&t->view);
    else if (key == 'o')
        t->view.reversed[t->view.focus] = !t->view.reversed[t->view.focus];
    else
        for (size_t i = 0; i <= sizeof(orders) / sizeof(orders[0]); i++) {
            if (i == sizeof(orders) / sizeof(orders[0]))
                return false;
            if (orders[i].key == key && view_set_order(&t->view, orders[i].order))
                break;
            if (orders[i].key == key)
                return true; /* not an order of this table */
        }
    if (view_sort(&t->view, &t->model) != 0)
        t->failed = ENOMEM;
    return true;
}

static void take_key(struct top *t, int key)
{
    t->message_ms = 0;
    if (t->view.help) {
        t->view.help = false;
        return;
    }
    switch (key) {
    case 'q':
        t->quits = true;
        return;
    case 'h':
    case '?':
        t->view.help = true;
        return;
    case '\t':
    case KEY_BACK_TAB:
        t->view.focus = t->view.focus == VIEW_SESSIONS ? VIEW_LEASES : VIEW_SESSIONS;
        return;
    case 'f':
        t->view.with_forwards = !t->view.with_forwards;
        if (view_sort(&t->view, &t->model) != 0)
            t->failed = ENOMEM;
        return;
    case 'k':
    case 'r':
        ask(t, key == 'r');
        return;
    case ' ':
        t->look_ms = 0;
        return;
    case '\f':
        t->is_new = true;
        return;
    default:
        if (!move(t, key))
            (void)sort_by(t, key);
    }
}

/* What is typed ahead, or pasted, answers no question: the rest of the bytes is dropped. */
static void read_keys(struct top *t)
{
    char bytes[64];
    size_t used;
    ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));
    if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
        t->failed = n == 0 ? EIO : errno;
    for (size_t at = 0; n > 0 && at < (size_t)n && !t->quits; at += used) {
        const int key = key_next(bytes + at, (size_t)n - at, &used);
        if (asks(t)) {
            answer(t, key == 'y' || key == 'Y');
            return;
        }
        take_key(t, key);
        if (asks(t))
            return;
    }
}

/* ---- the screen ---- */

/* A terminal may take nothing for long, as over a link that is down: signals must end top then.
 * False: a signal came in between, and the screen shows a part. */
static bool write_out(struct top *t, const struct buf *out)
{
    sigset_t before;
    (void)sigprocmask(SIG_SETMASK, &t->waiting, &before);
    const int rc = terminal_write(out->data, out->len);
    const int why = errno;
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    if (rc != 0 && why != EINTR)
        t->failed = why;
    return rc == 0;
}

static void show(struct top *t)
{
    bool whole = true;
    size_t rows, columns;
    struct buf out = {0};
    terminal_size(&rows, &columns);
    if (t->wanted.rows != rows || t->wanted.columns != columns) {
        t->is_new = true;
        if (frame_resize(&t->wanted, rows, columns) != 0 ||
            frame_resize(&t->shown, rows, columns) != 0) {
            t->failed = ENOMEM;
            return;
        }
    }
    set_message(t);
    draw(&t->model, &t->view, &t->wanted);
    frame_paint(&t->shown, &t->wanted, t->is_new, &out);
    if (out.failed)
        t->failed = ENOMEM;
    else if (out.len > 0)
        whole = write_out(t, &out);
    buf_release(&out);
    const struct frame shown = t->wanted;
    t->wanted = t->shown;
    t->shown = shown;
    t->is_new = !whole;
}

/* Processor time of this process and of the children that read the store. */
static int64_t used_ms(void)
{
    static const int whose[] = {RUSAGE_SELF, RUSAGE_CHILDREN};
    int64_t ms = 0;
    for (size_t i = 0; i < 2; i++) {
        struct rusage used;
        if (getrusage(whose[i], &used) == 0)
            ms += (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * INT64_C(1000) +
                  (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000;
    }
    return ms;
}

/* With very many sessions a look takes long: then the next one is put off, so that top takes no
 * more than a fifth of a core. */
static void look(struct top *t)
{
    const int64_t began_ms = clock_monotonic_ms(), used_before_ms = used_ms();
    model_look(t->ctl, &t->model, t->terminal.guard_fd);
    if (view_sort(&t->view, &t->model) != 0)
        t->failed = ENOMEM;
    t->looks++;
    const int64_t pause_ms = (used_ms() - used_before_ms) * 5;
    t->look_ms = began_ms + (t->req->delay_ms > pause_ms ? t->req->delay_ms : pause_ms);
}

static void wait_for_something(struct top *t)
{
    struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                           {.fd = t->action.pid != 0 ? t->action.fd : -1, .events = POLLIN}};
    const int64_t left_ms = t->look_ms - clock_monotonic_ms();
    const int64_t ms = left_ms > 0 ? left_ms : 0;
    const struct timespec timeout = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    if (ppoll(fds, 2, &timeout, &t->waiting) < 0) {
        if (errno != EINTR)
            t->failed = errno;
        return;
    }
    const bool asked = action_asks(&t->action);
    if (fds[1].revents != 0 && action_read(&t->action))
        end_action(t);
    if (!asked && action_asks(&t->action)) {
        (void)tcflush(STDIN_FILENO, TCIFLUSH);
        return;
    }
    if (fds[0].revents & POLLIN)
        read_keys(t);
    else if (fds[0].revents != 0)
        t->failed = EIO; /* the terminal is gone */
}

static bool is_over(const struct top *t)
{
    return t->quits || t->failed != 0 || (t->req->count > 0 && t->looks >= t->req->count);
}

static void loop(struct top *t)
{
    while (!is_over(t)) {
        if (clock_monotonic_ms() >= t->look_ms)
            look(t);
        if (t->failed == 0)
            show(t);
        if (is_over(t))
            break;
        if (!t->is_new) /* else a signal has come while the screen was written */
            wait_for_something(t);
        take_signals(t);
    }
}

/* ---- to a file ---- */

static void print_frame(const struct frame *f)
{
    for (size_t i = 0; i < f->rows; i++)
        if (buf_text(&f->lines[i].text) != NULL && f->lines[i].text.len > 0)
            (void)puts(buf_text(&f->lines[i].text));
    (void)putchar('\n');
    (void)fflush(stdout);
}

static void print_looks(struct top *t)
{
    enum { BATCH_COLUMNS = 160 };
    while (!is_over(t) && ferror(stdout) == 0) {
        look(t);
        if (t->failed == 0 &&
            frame_resize(&t->wanted, draw_batch_rows(&t->view), BATCH_COLUMNS) != 0)
            t->failed = ENOMEM;
        if (t->failed != 0)
            break;
        draw(&t->model, &t->view, &t->wanted);
        print_frame(&t->wanted);
        const int64_t left_ms = t->look_ms - clock_monotonic_ms();
        const struct timespec left = {.tv_sec = left_ms / 1000,
                                      .tv_nsec = left_ms % 1000 * 1000000};
        if (left_ms > 0 && !is_over(t))
            (void)ppoll(NULL, 0, &left, NULL);
    }
}

static void release(struct top *t)
{
    action_release(&t->action);
    model_release(&t->model);
    view_release(&t->view);
    frame_release(&t->shown);
    frame_release(&t->wanted);
    buf_release(&t->message);
}

int top_run(struct ctl *ctl, const struct top_request *req)
{
    struct top t = {.ctl = ctl,
                    .req = req,
                    .is_new = true,
                    .terminal = {.guard_fd = -1},
                    .view = {.delay_ms = req->delay_ms, .batch = req->batch}};
    int code = EXIT_DONE;
    t.view.orders[VIEW_SESSIONS] = ORDER_BYTES;
    t.view.orders[VIEW_LEASES] = ORDER_END;
    (void)sigprocmask(SIG_BLOCK, NULL, &t.waiting);
    if (!req->batch)
        signals_catch(&t.waiting);
    if (req->batch) {
        print_looks(&t);
    } else if (terminal_start(&t.terminal) != 0) {
        t.failed = errno;
    } else {
        loop(&t);
        signals_release(&t.waiting);
        terminal_end(&t.terminal);
    }
    if (t.failed != 0 && !signals_take().end)
        code = ctl_error(ctl, EXIT_FAILED, "cannot go on: %s", strerror(t.failed));
    release(&t);
    return code;
}
