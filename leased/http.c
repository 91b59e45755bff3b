/* SPDX-License-Identifier: ISC */
#include "leased/http.h"

#include "leased/confine.h"
#include "leased/http_parse.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 4096,
    CONNECTIONS_SPARE = 64, /* descriptors that are not connections */
    REQUEST_MS = 5000,      /* from the first byte to the last: no slow drip */
    IDLE_MS = 75000,
    ENGINE_MS = 6000, /* engine itself gives up after 5 s */
    DRAIN_MS = 10000, /* a client that does not read its answer */
    TICK_MS = 250,
    ACCEPTS_AT_ONCE = 64,
    ANSWERS_AT_ONCE = 512,
    READ_BYTES = HTTP_HEAD_BYTES + CONTROL_BODY_BYTES,
};

enum state {
    FREE,    /* no connection */
    READING, /* a request, or the wait for one */
    STALLED, /* a whole request, and engine cannot take it yet */
    WAITING, /* for engine's answer */
    CLOSING, /* the answer is on its way out, and nothing follows */
};

struct connection {
    enum state state;
    struct bufferevent *bev;
    uint32_t generation; /* tells an answer for this connection from one for its predecessor */
    bool is_open, keep_alive, continued;
    int64_t
        since_ms; /* of the state; of a request, its first byte; 0 in READING: nothing came yet */
    int64_t idle_ms; /* since when nothing is under way */
    char address[CONTROL_ADDRESS_BYTES];
};

struct http {
    struct event_base *base;
    const struct http_options *o;
    struct event *on_engine, *on_engine_room, *on_tick, *accepts[16];
    struct connection *connections;
    size_t slots, in_use; /* slots: how many there may be */
    size_t stalled;
    struct control_request request;
    struct control_answer answer;
};

/* ---- ends ---- */

static void tick_soon(struct http *h)
{
    const struct timeval after = {.tv_usec = TICK_MS * 1000};
    if (event_pending(h->on_tick, EV_TIMEOUT, NULL) == 0)
        (void)event_add(h->on_tick, &after);
}

static void drop(struct http *h, struct connection *c)
{
    if (c->state == STALLED)
        h->stalled--;
    bufferevent_free(c->bev);
    c->bev = NULL;
    c->state = FREE;
    c->generation++;
    h->in_use--;
}

/* ---- answers ---- */

static const char *reason_phrase(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 409:
        return "Conflict";
    case 410:
        return "Gone";
    case 413:
        return "Content Too Large";
    case 415:
        return "Unsupported Media Type";
    case 429:
        return "Too Many Requests";
    case 431:
        return "Request Header Fields Too Large";
    case 501:
        return "Not Implemented";
    case 503:
        return "Service Unavailable";
    default:
        return "HTTP Version Not Supported";
    }
}

static void process(struct http *h, struct connection *c);

static void send_body(struct http *h, struct connection *c, int status, const char *type,
                      const char *body, size_t len)
{
    char head[256];
    int n = snprintf(head, sizeof(head),
                     "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                     "Cache-Control: no-store\r\n%s\r\n",
                     status, reason_phrase(status), type, len,
                     c->keep_alive ? "" : "Connection: close\r\n");
    if (c->state == STALLED)
        h->stalled--;
    (void)bufferevent_write(c->bev, head, (size_t)n);
    (void)bufferevent_write(c->bev, body, len);
    c->state = c->keep_alive ? READING : CLOSING;
    c->idle_ms = clock_monotonic_ms();
    c->since_ms = c->keep_alive ? 0 : c->idle_ms;
}

static const char json_type[] = "application/json";

static void send_error(struct http *h, struct connection *c, int status, enum control_code code,
                       const char *error)
{
    struct control_answer *a = &h->answer;
    struct buf body = {0};
    memset(a, 0, offsetof(struct control_answer, report));
    a->code = (uint32_t)code;
    (void)snprintf(a->error, sizeof(a->error), "%s", error);
    if (control_format(a, h->o->site, &body) == 0)
        send_body(h, c, status, json_type, buf_text(&body), body.len);
    else
        drop(h, c);
    buf_release(&body);
}

/* After which the two of us no longer agree where the next request begins. */
static void refuse(struct http *h, struct connection *c, int status, enum control_code code,
                   const char *error)
{
    c->keep_alive = false;
    send_error(h, c, status, code, error);
}

/* ---- requests ---- */

static bool is_json(const struct http_text *type)
{
    size_t len = sizeof(json_type) - 1;
    return type->len >= len && strncasecmp(type->at, json_type, len) == 0 &&
           (type->len == len || type->at[len] == ';' || type->at[len] == ' ');
}

/* What is asked, without a body. 0: there is nothing at that path. */
static enum control_action report_at(const struct http_text *path)
{
    if (http_text_is(path, "/healthz"))
        return CONTROL_HEALTH;
    if (http_text_is(path, "/version"))
        return CONTROL_VERSION;
    return http_text_is(path, "/metrics") ? CONTROL_METRICS : 0;
}

/* Into h->request. False: it was answered. */
static bool fill_request(struct http *h, struct connection *c, const struct http_head *head,
                         const char *body)
{
    struct control_request *r = &h->request;
    enum control_action report = report_at(&head->path);
    bool is_post = http_text_is(&head->path, "/");

    if (report == 0 && !is_post) {
        send_error(h, c, 404, CONTROL_NOT_FOUND, "there is nothing at this path");
        return false;
    }
    if (!http_text_is(&head->method, is_post ? "POST" : "GET")) {
        send_error(h, c, 405, CONTROL_BAD_REQUEST,
                   is_post ? "this path takes POST" : "this path takes GET");
        return false;
    }
    control_request_init(r, report);
    r->is_open = c->is_open;
    memcpy(r->address, c->address, sizeof(r->address));
    if (head->credential.len != 0 && control_request_set(r, CONTROL_CREDENTIAL, head->credential.at,
                                                         head->credential.len) != 0) {
        send_error(h, c, 400, CONTROL_BAD_REQUEST, "the credential is too long");
        return false;
    }
    if (!is_post)
        return true;
    if (c->is_open) {
        send_error(h, c, 404, CONTROL_NOT_FOUND, "this address serves metrics alone");
        return false;
    }
    if (!is_json(&head->content_type)) {
        send_error(h, c, 415, CONTROL_UNSUPPORTED, "the body must be application/json");
        return false;
    }
    const char *problem = control_parse(body, head->content_length, r);
    if (problem != NULL)
        send_error(h, c, 400, CONTROL_BAD_REQUEST, problem);
    return problem == NULL;
}

/* To engine. False: it has no room now, and the request stays where it is. */
static bool hand_over(struct http *h, struct connection *c)
{
    struct control_request *r = &h->request;
    size_t slot = (size_t)(c - h->connections);
    r->id = (uint64_t)c->generation << 32 | slot;
    ssize_t n = send(h->o->engine_fd, r, control_request_bytes(r), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == EINTR)) {
        (void)event_add(h->on_engine_room, NULL);
        return false;
    }
    if (c->state == STALLED)
        h->stalled--;
    c->state = WAITING; /* of a lost engine too: its end is seen by on_engine */
    c->since_ms = clock_monotonic_ms();
    return true;
}

/* One request, if it is all there. True: it was taken from the input. */
static bool process_one(struct http *h, struct connection *c)
{
    struct evbuffer *in = bufferevent_get_input(c->bev);
    size_t len = evbuffer_get_length(in);
    struct http_head head;

    if (len == 0)
        return false;
    if (c->since_ms == 0)
        c->since_ms = clock_monotonic_ms();
    size_t look = len < HTTP_HEAD_BYTES ? len : HTTP_HEAD_BYTES;
    const char *text = (const char *)evbuffer_pullup(in, (ssize_t)look);
    size_t head_bytes = text != NULL ? http_head_end(text, look) : 0;
    if (head_bytes == 0) {
        if (len >= HTTP_HEAD_BYTES)
            refuse(h, c, 431, CONTROL_TOO_LARGE, "the header is larger than 8 KiB");
        /* Line feeds alone never end a head: say so, rather than wait for the deadline. */
        else if (text != NULL && memmem(text, look, "\n\n", 2) != NULL)
            refuse(h, c, 400, CONTROL_BAD_REQUEST, "lines end with CR LF");
        return false;
    }
    int status = http_parse_head(text, head_bytes, &head);
    c->keep_alive = status == 0 && head.keep_alive;
    if (status != 0) {
        refuse(h, c, status, CONTROL_BAD_REQUEST, "malformed HTTP request");
        return false;
    }
    bool has_body = http_text_is(&head.method, "POST");
    if (has_body && !head.has_length) {
        refuse(h, c, 400, CONTROL_BAD_REQUEST, "Content-Length is missing");
        return false;
    }
    if (head.content_length > CONTROL_BODY_BYTES) {
        refuse(h, c, 413, CONTROL_TOO_LARGE, "the body is larger than 64 KiB");
        return false;
    }
    if (!has_body && head.content_length > 0) {
        refuse(h, c, 400, CONTROL_BAD_REQUEST, "this request has no body");
        return false;
    }
    size_t whole = head_bytes + head.content_length;
    if (len < whole) {
        static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
        if (head.expects_continue && !c->continued)
            (void)bufferevent_write(c->bev, go_on, sizeof(go_on) - 1);
        c->continued = c->continued || head.expects_continue;
        return false;
    }
    /* The head's pieces point into it: the text may move when more is pulled up. */
    if (whole > look) {
        text = (const char *)evbuffer_pullup(in, (ssize_t)whole);
        if (text == NULL || http_parse_head(text, head_bytes, &head) != 0) {
            drop(h, c);
            return false;
        }
    }
    bool answered = !fill_request(h, c, &head, text + head_bytes);
    if (!answered && !hand_over(h, c)) {
        if (c->state != STALLED)
            h->stalled++;
        c->state = STALLED;
        return false;
    }
    c->continued = false;
    if (c->state != FREE)
        (void)evbuffer_drain(in, whole);
    return c->state != FREE;
}

static void process(struct http *h, struct connection *c)
{
    /* Pipelined requests, one at a time and in order: the next when this one is answered. */
    while ((c->state == READING || c->state == STALLED) && process_one(h, c))
        ;
}

static void on_read(struct bufferevent *bev, void *arg);
static void on_written(struct bufferevent *bev, void *arg);
static void on_event(struct bufferevent *bev, short what, void *arg);

/* A callback gets one pointer: this is the other. There is one http process. */
static struct http *the_http;

static void on_read(struct bufferevent *bev, void *arg)
{
    (void)bev;
    process(the_http, arg);
}

static void on_written(struct bufferevent *bev, void *arg)
{
    struct connection *c = arg;
    (void)bev;
    if (c->state == CLOSING)
        drop(the_http, c);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    (void)bev;
    if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0)
        drop(the_http, arg);
}

/* ---- accepting ---- */

static void describe_peer(const struct sockaddr_storage *peer,
                          char out[static CONTROL_ADDRESS_BYTES])
{
    const struct sockaddr_in *v4 = (const void *)peer;
    const struct sockaddr_in6 *v6 = (const void *)peer;
    out[0] = '\0';
    if (peer->ss_family == AF_INET)
        (void)inet_ntop(AF_INET, &v4->sin_addr, out, CONTROL_ADDRESS_BYTES);
    else if (peer->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
        (void)inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, out, CONTROL_ADDRESS_BYTES);
    else if (peer->ss_family == AF_INET6)
        (void)inet_ntop(AF_INET6, &v6->sin6_addr, out, CONTROL_ADDRESS_BYTES);
}

/* When all are taken: the one that has gone longest without a whole request makes room. */
static struct connection *free_slot(struct http *h)
{
    struct connection *oldest = NULL;
    for (size_t i = 0; i < h->slots; i++) {
        struct connection *c = &h->connections[i];
        if (c->state == FREE)
            return c;
        if (c->state == READING && (oldest == NULL || c->idle_ms < oldest->idle_ms))
            oldest = c;
    }
    if (oldest != NULL)
        drop(h, oldest);
    return oldest;
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
    struct http *h = the_http;
    const struct http_listener *listener = arg;
    const int on = 1;
    (void)what;
    for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
        struct sockaddr_storage peer;
        socklen_t len = sizeof(peer);
        memset(&peer, 0, sizeof(peer));
        int client = accept4(fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (client < 0)
            return;
        struct connection *c = free_slot(h);
        struct bufferevent *bev =
            c != NULL ? bufferevent_socket_new(h->base, client, BEV_OPT_CLOSE_ON_FREE) : NULL;
        if (bev == NULL) {
            (void)close(client);
            return;
        }
        if (peer.ss_family != AF_UNIX)
            (void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        *c = (struct connection){.state = READING,
                                 .bev = bev,
                                 .generation = c->generation + 1,
                                 .is_open = listener->is_open,
                                 .idle_ms = clock_monotonic_ms()};
        describe_peer(&peer, c->address);
        h->in_use++;
        bufferevent_setcb(bev, on_read, on_written, on_event, c);
        bufferevent_setwatermark(bev, EV_READ, 0, READ_BYTES);
        (void)bufferevent_enable(bev, EV_READ | EV_WRITE);
        tick_soon(h);
    }
}

/* ---- engine ---- */

static void deliver(struct http *h, const struct control_answer *a)
{
    size_t slot = (size_t)(a->id & UINT32_MAX);
    struct connection *c = slot < h->slots ? &h->connections[slot] : NULL;
    struct buf body = {0};
    if (c == NULL || c->state != WAITING || c->generation != (uint32_t)(a->id >> 32))
        return; /* it went away, or was answered when its time was over */
    const char *type = a->action == CONTROL_METRICS && a->code == CONTROL_OK
                           ? "text/plain; version=0.0.4"
                       : a->report_bytes > 0 ? "text/plain"
                                             : json_type;
    if (control_format(a, h->o->site, &body) == 0) {
        send_body(h, c, control_code_status((enum control_code)a->code), type, buf_text(&body),
                  body.len);
        process(h, c);
    } else {
        drop(h, c);
    }
    buf_release(&body);
}

static void on_engine(evutil_socket_t fd, short what, void *arg)
{
    static struct control_answer a;
    struct http *h = arg;
    (void)what;
    for (int i = 0; i < ANSWERS_AT_ONCE; i++) {
        ssize_t n = recv(fd, &a, sizeof(a), MSG_DONTWAIT);
        if (n == 0) {
            (void)event_base_loopbreak(h->base);
            return;
        }
        if (n < 0)
            return;
        if (control_answer_problem(&a, (size_t)n) == NULL)
            deliver(h, &a);
    }
}

static void on_engine_room(evutil_socket_t fd, short what, void *arg)
{
    struct http *h = arg;
    (void)fd;
    (void)what;
    for (size_t i = 0; i < h->slots && h->stalled > 0; i++)
        if (h->connections[i].state == STALLED)
            process(h, &h->connections[i]);
}

/* ---- time ---- */

static void look_at(struct http *h, struct connection *c, int64_t now_ms)
{
    switch (c->state) {
    case READING:
        if (c->since_ms != 0 ? now_ms - c->since_ms > REQUEST_MS : now_ms - c->idle_ms > IDLE_MS)
            drop(h, c);
        break;
    case STALLED:
    case WAITING:
        if (now_ms - c->since_ms > ENGINE_MS) {
            c->generation++; /* a late answer is not for whoever comes next */
            if (c->state == STALLED)
                c->keep_alive = false;
            send_error(h, c, 503, CONTROL_UNAVAILABLE, "the gateway is busy: try again");
            process(h, c);
        }
        break;
    case CLOSING:
        if (now_ms - c->since_ms > DRAIN_MS)
            drop(h, c);
        break;
    case FREE:
        break;
    }
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct http *h = arg;
    int64_t now_ms = clock_monotonic_ms();
    (void)fd;
    (void)what;
    for (size_t i = 0; i < h->slots; i++)
        look_at(h, &h->connections[i], now_ms);
    if (h->in_use > 0)
        tick_soon(h);
}

static void on_stop(evutil_socket_t sig, short what, void *arg)
{
    struct http *h = arg;
    (void)sig;
    (void)what;
    (void)event_base_loopbreak(h->base);
}

static int set_up(struct http *h)
{
    struct rlimit files = {.rlim_cur = 1024};
    (void)getrlimit(RLIMIT_NOFILE, &files);
    h->slots = CONNECTIONS_MAX;
    if (files.rlim_cur < CONNECTIONS_MAX + CONNECTIONS_SPARE) {
        files.rlim_cur = files.rlim_max < CONNECTIONS_MAX + CONNECTIONS_SPARE
                             ? files.rlim_max
                             : CONNECTIONS_MAX + CONNECTIONS_SPARE;
        (void)setrlimit(RLIMIT_NOFILE, &files);
        if (files.rlim_cur < CONNECTIONS_MAX + CONNECTIONS_SPARE)
            h->slots = files.rlim_cur > 2 * CONNECTIONS_SPARE ? files.rlim_cur - CONNECTIONS_SPARE
                                                              : CONNECTIONS_SPARE;
    }
    h->connections = calloc(h->slots, sizeof(*h->connections));
    h->base = event_base_new();
    if (h->connections == NULL || h->base == NULL ||
        h->o->listener_count > sizeof(h->accepts) / sizeof(h->accepts[0]))
        return -1;
    h->on_engine = event_new(h->base, h->o->engine_fd, EV_READ | EV_PERSIST, on_engine, h);
    h->on_engine_room = event_new(h->base, h->o->engine_fd, EV_WRITE, on_engine_room, h);
    h->on_tick = evtimer_new(h->base, on_tick, h);
    struct event *stop = evsignal_new(h->base, SIGTERM, on_stop, h);
    if (h->on_engine == NULL || h->on_engine_room == NULL || h->on_tick == NULL || stop == NULL ||
        event_add(h->on_engine, NULL) != 0 || event_add(stop, NULL) != 0)
        return -1;
    for (size_t i = 0; i < h->o->listener_count; i++) {
        h->accepts[i] = event_new(h->base, h->o->listeners[i].fd, EV_READ | EV_PERSIST, on_accept,
                                  (void *)(uintptr_t)&h->o->listeners[i]);
        if (h->accepts[i] == NULL || event_add(h->accepts[i], NULL) != 0)
            return -1;
    }
    return 0;
}

int http_run(const struct http_options *o)
{
    static struct http h;
    char why[128];
    h.o = o;
    the_http = &h;
    if (set_up(&h) != 0) {
        log_error("http cannot start: %s", strerror(errno));
        return EXIT_FAILURE;
    }
    if (confine_http(why, sizeof(why)) != 0) {
        log_error("http cannot be confined (%s)%s", why,
                  o->unconfined ? "; it goes on, since -u says so"
                                : ": 'leased -u' goes on without");
        if (!o->unconfined)
            return EXIT_FAILURE;
    }
    return event_base_dispatch(h.base) >= 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
