/* SPDX-License-Identifier: ISC */
#include "leased/http/server.h"

#include "leased/http/http_head.h"
#include "leased/http/page_parts.h"
#include "leased/http/request.h"
#include "lib/base/clock.h"

#include <errno.h>
#include <event2/event.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TICK_MS = 250 };

void server_tick_soon(struct server *s)
{
    const struct timeval after = {.tv_usec = TICK_MS * 1000};
    if (event_pending(s->on_tick, EV_TIMEOUT, NULL) == 0)
        (void)event_add(s->on_tick, &after);
}

/* ---- one request ---- */

static const char stopping[] = "the gateway is stopping: try again";

static void answer_unavailable(struct server *s, struct connection *c, const char *why)
{
    answer_refuse(&s->answers, c,
                  &(struct refusal){.why = why, .status = 503, .code = CONTROL_UNAVAILABLE});
}

static void refuse(struct server *s, struct connection *c, const struct refusal *refusal)
{
    refusal_report_add(&s->refusals, &c->client, refusal->code, refusal->why);
    answer_refuse(&s->answers, c, refusal);
}

/* Sends s->request to engine. False: its socket is full, and the request stays in c's input. */
static bool send_to_engine(struct server *s, struct connection *c)
{
    struct control_request *r = &s->request;
    if (s->engine_gone_ms != 0) {
        answer_unavailable(s, c, stopping);
        return true;
    }
    r->id = connection_id(c);
    ssize_t n = send(s->engine_fd, r, control_request_bytes(r), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == EINTR)) {
        (void)event_add(s->on_engine_room, NULL);
        if (c->state != CONNECTION_STALLED)
            connection_set_state(c, CONNECTION_STALLED); /* its timeout counts from the first try */
        return false;
    }
    /* Also if send failed because engine is gone: on_engine notices that and answers it. */
    connection_set_state(c, CONNECTION_WAITING);
    return true;
}

/* RFC 9110 section 10.1.1 */
static void send_continue(struct connection *c, const struct http_head *head)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    if (!head->expects_continue || c->sent_continue)
        return;
    c->sent_continue = true;
    /* All answers before it were written, so only a client that does not read has a full socket. */
    if (write(c->fd, text, sizeof(text) - 1) != (ssize_t)sizeof(text) - 1)
        connection_drop(c);
}

/*
 * Handles the first request in text, if it is complete. Returns its length; 0: it is incomplete, or
 * engine has no room, or nothing after it can be read (c->state tells which). A request that can be
 * refused by its head is refused before its body has come.
 */
static size_t handle_request(struct server *s, struct connection *c, const char *text, size_t len)
{
    struct http_head head;
    struct refusal refusal;
    int status;
    size_t head_bytes = http_head_parse(text, len, &head, &status);

    c->head_only = c->is_page = false;
    c->part = NULL;
    buf_release(&c->whole);
    if (c->client.proxy != PROXY_HEADER_NONE)
        c->client.address[0] = '\0'; /* it was that of the previous request */
    if (status != 0) {
        c->keep_alive = false; /* nobody can tell where the next request starts */
        refusal = request_head_refusal(status);
        refuse(s, c, &refusal);
        return 0;
    }
    if (head_bytes == 0)
        return 0;
    bool is_whole =
        head.content_length <= CONTROL_BODY_BYTES && len - head_bytes >= head.content_length;
    /* Without a length, the body of a POST would be read as the next request. */
    is_whole = is_whole && (head.has_length || !http_slice_is(&head.method, "POST"));
    c->keep_alive = head.keep_alive && is_whole;
    c->head_only = http_slice_is(&head.method, "HEAD");
    c->is_page = request_is_page(&c->client, &head);
    refusal = request_check(&c->client, &head, s->answers.site->ssh_host);
    if (refusal.why == NULL && !is_whole) {
        send_continue(c, &head);
        return 0;
    }
    if (refusal.why == NULL)
        refusal = request_fill(&c->client, &head, text + head_bytes, &s->request);
    if (refusal.why == NULL && s->request.action == CONTROL_PAGE)
        c->part = page_part_at(&head.path);
    if (refusal.why != NULL)
        refuse(s, c, &refusal);
    else if (!send_to_engine(s, c))
        return 0;
    return is_whole ? head_bytes + head.content_length : 0;
}

/* Handles the requests in text, which is c->in or s->input. Clients may pipeline them (RFC 9112
 * section 9.3.2): they are handled one at a time and in order, and the rest waits in c->in. */
static void handle_input(struct server *s, struct connection *c, const char *text, size_t len)
{
    size_t used = 0, n;
    do {
        n = handle_request(s, c, text + used, len - used);
        used += n;
    } while (n > 0 && used < len && c->state == CONNECTION_READING);
    if (c->state == CONNECTION_FREE || c->state == CONNECTION_LINGERING)
        return;
    if (!connection_buffer_input(c, text + used, len - used))
        connection_drop(c);
    else if (c->state == CONNECTION_READING && used < len && c->since_ms == 0)
        c->since_ms = clock_monotonic_ms();
}

/* After an answer: handles the next request if it is buffered, or else reads on. */
static void resume(struct server *s, struct connection *c)
{
    if (c->state == CONNECTION_READING && c->in_len > 0)
        handle_input(s, c, c->in, c->in_len);
    if (c->state == CONNECTION_READING)
        connection_start_reading(c);
}

/* ---- clients ---- */

static void on_client_in(evutil_socket_t fd, short what, void *arg)
{
    struct connection *c = arg;
    struct server *s = c->server;
    (void)what;
    /* More input, or its end, while a request is under way: it is read after the answer. */
    if (!connection_awaits_client(c)) {
        connection_stop_reading(c);
        return;
    }
    if (c->in_len > 0 && c->in_len == c->in_bytes && !connection_grow_input(c, c->in_len + 1)) {
        connection_drop(c);
        return;
    }
    bool buffered = c->in_len > 0;
    char *to = buffered ? c->in : s->input;
    ssize_t n =
        recv(fd, to + c->in_len, (buffered ? c->in_bytes : sizeof(s->input)) - c->in_len, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        connection_drop(c);
        return;
    }
    if (c->state == CONNECTION_LINGERING)
        return;
    if (c->since_ms == 0)
        c->since_ms = clock_monotonic_ms();
    handle_input(s, c, to, c->in_len + (size_t)n);
}

static void on_client_out(evutil_socket_t fd, short what, void *arg)
{
    struct connection *c = arg;
    (void)fd;
    (void)what;
    answer_send_rest(c);
    resume(c->server, c);
}

void server_add_connection(struct server *s, struct connection *c, struct event_base *base)
{
    c->server = s;
    (void)event_assign(&c->on_in, base, c->fd, EV_READ | EV_PERSIST, on_client_in, c);
    (void)event_assign(&c->on_out, base, c->fd, EV_WRITE | EV_PERSIST, on_client_out, c);
    connection_set_state(c, CONNECTION_READING);
    connection_start_reading(c);
    if (!c->is_reading)
        connection_drop(c);
    server_tick_soon(s);
}

/* ---- engine ---- */

void server_deliver(struct server *s, const struct control_answer *a)
{
    struct connection *c = connection_find(&s->connections, a->id);
    if (c == NULL || c->state != CONNECTION_WAITING)
        return;
    c->client.is_admitted = c->client.is_admitted || a->is_admitted != 0;
    if (a->whole_bytes != 0 && !answer_add_packet(c, a))
        return;
    answer_send(&s->answers, c, a);
    resume(s, c);
}

void server_retry_stalled(struct server *s)
{
    const struct connections *t = &s->connections;
    /* Starts where the last call stopped, or the first slots would always get all the room. */
    for (size_t i = 0; i < t->slot_count && t->stalled > 0; i++) {
        struct connection *c = &t->slots[(s->next_stalled_slot + i) % t->slot_count];
        if (c->state != CONNECTION_STALLED)
            continue;
        handle_input(s, c, c->in, c->in_len);
        if (c->state == CONNECTION_STALLED) {
            s->next_stalled_slot = (s->next_stalled_slot + i) % t->slot_count;
            return;
        }
        resume(s, c);
    }
}

/* Whether engine has spent an invite, or will, cannot be told here. A 503 would say that it has
 * not. So who joins gets no answer, and is told to ask again. */
static bool may_be_spent(const struct connection *c)
{
    return c->client.on_join_socket && c->state == CONNECTION_WAITING;
}

void server_give_up(struct server *s, struct connection *c)
{
    if (may_be_spent(c)) {
        connection_drop(c);
        return;
    }
    c->generation++; /* or a late answer would go to the next request */
    /* A STALLED request is still in the input, and would be handled again. */
    if (c->state == CONNECTION_STALLED)
        c->keep_alive = false;
    answer_unavailable(s, c, "the gateway is busy: try again");
    resume(s, c);
}

void server_lose_engine(struct server *s)
{
    s->engine_gone_ms = clock_monotonic_ms();
    s->refusals.engine_fd = -1;
    for (size_t i = 0; i < s->connections.slot_count; i++) {
        struct connection *c = &s->connections.slots[i];
        if (may_be_spent(c)) {
            connection_drop(c);
        } else if (c->state == CONNECTION_WAITING || c->state == CONNECTION_STALLED) {
            c->keep_alive = false;
            answer_unavailable(s, c, stopping);
        }
    }
}
