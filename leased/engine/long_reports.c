/* SPDX-License-Identifier: ISC */
#include "leased/engine/long_reports.h"

#include "leased/engine/answers.h"
#include "leased/engine/http_child.h"
#include "leased/watch/timer.h"

#include <string.h>

enum { PACKETS_AT_ONCE = 2, PAUSE_MS = 2 };

static void drop_first(struct long_reports *l)
{
    l->bytes -= l->items[0].text.len;
    buf_release(&l->items[0].text);
    l->count--;
    memmove(l->items, l->items + 1, l->count * sizeof(l->items[0]));
}

/* False: the socket is full. */
static bool send_next(struct long_reports *l, struct long_report *r)
{
    struct control_answer *a = &l->packet;
    const size_t left = r->text.len - r->sent;
    memset(a, 0, offsetof(struct control_answer, report));
    a->id = r->id;
    a->action = CONTROL_STATUS;
    a->is_admitted = 1;
    a->whole_bytes = (uint32_t)r->text.len;
    a->report_bytes = (uint32_t)(left < CONTROL_REPORT_BYTES ? left : CONTROL_REPORT_BYTES);
    memcpy(a->report, r->text.data + r->sent, a->report_bytes);
    if (!answers_try_send(l->answers, a))
        return false;
    r->sent += a->report_bytes;
    return true;
}

static void send_some(struct long_reports *l)
{
    for (int sent = 0; l->count > 0 && sent < PACKETS_AT_ONCE; sent++) {
        struct long_report *r = &l->items[0];
        const bool is_wanted = r->http == l->http->pid;
        if (is_wanted && !send_next(l, r))
            break;
        if (!is_wanted || r->sent == r->text.len)
            drop_first(l);
    }
    if (l->count > 0)
        timer_arm(l->on_more, PAUSE_MS);
}

static void on_more(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    send_some(arg);
}

bool long_reports_add(struct long_reports *l, uint64_t id, const struct buf *text)
{
    struct long_report *r = &l->items[l->count];
    if (l->count == LONG_REPORTS_MAX || text->len > LONG_REPORTS_BYTES - l->bytes)
        return false;
    *r = (struct long_report){.id = id, .http = l->http->pid};
    buf_add_mem(&r->text, text->data, text->len);
    if (r->text.failed) {
        buf_release(&r->text);
        return false;
    }
    l->count++;
    l->bytes += text->len;
    if (l->count == 1)
        send_some(l);
    return true;
}

int long_reports_start(struct long_reports *l, struct event_base *base)
{
    l->on_more = evtimer_new(base, on_more, l);
    return l->on_more != NULL ? 0 : -1;
}
