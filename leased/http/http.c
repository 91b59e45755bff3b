/* SPDX-License-Identifier: ISC */
#include "leased/http/http.h"

#include "leased/http/confine.h"
#include "leased/http/http_parse.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 4096,
    CONNECTIONS_SPARE = 64, /* descriptors that are not connections */
    LISTENERS_MAX = 32,
    TELLS_A_SECOND = 20, /* of refusals of our own, to engine */
    REQUEST_MS = 5000,   /* from the first byte to the last: no slow drip */
    IDLE_MS = 75000,
    ENGINE_MS = 6000, /* engine itself gives up after 5 s */
    SEND_MS = 10000,  /* a client that does not read its answer */
    LINGER_MS = 2000, /* for what a client still sends after a last answer */
    TICK_MS = 250,
    LAST_MS = 50,      /* from the engine's end to ours: for clients to read what they were sent */
    LAST_MAX_MS = 500, /* for an answer that a client's socket did not take at once */
    ACCEPTS_AT_ONCE = 64,
    ANSWERS_AT_ONCE = 512,
    BUFFER_BYTES = 65536, /* of a client's socket, each way: the kernel would take megabytes */
    READ_BYTES = HTTP_HEAD_BYTES + CONTROL_BODY_BYTES, /* the largest request there is */
    KEPT_BYTES_MIN = 2048,
    KEPT_BYTES_MAX = 32 * 1024 * 1024, /* of all connections together */
};

enum state {
    FREE,      /* no connection */
    READING,   /* a request, or the wait for one */
    STALLED,   /* a whole request, and engine cannot take it yet */
    WAITING,   /* for engine's answer */
    SENDING,   /* an answer that the client's socket did not take at once */
    LINGERING, /* the last answer is out; what still comes is thrown away */
};

struct http;

struct connection {
    struct http *http;
    enum state state;
    int fd;
    uint32_t generation; /* tells an answer for this connection from one for its predecessor */
    bool is_open, keep_alive, continued, is_head;
    enum proxy_header proxy; /* address is that of the request, then */
    bool is_reading;         /* on_client_in is in the loop */
    int64_t since_ms; /* of the state; READING: the request's first byte, 0 while nothing came */
    int64_t idle_ms;  /* since when nothing is under way */
    char *in;         /* of a request that is not all there, or cannot be taken yet */
    size_t in_len, in_bytes;
    char *out;
    size_t out_len, out_at;
    struct connection *older, *newer; /* in http.idle; or newer alone, in http.free */
    struct event on_in, on_out;
    char address[CONTROL_ADDRESS_BYTES];
};

struct acceptor {
    struct http *http;
    const struct http_listener *listener;
    struct event on_accept;
};

/* Requests that we refused ourselves, of one code: how many engine was not told of, and the last.
 */
struct refused {
    uint32_t untold;
    bool is_open;
    char address[CONTROL_ADDRESS_BYTES], why[CONTROL_ERROR_BYTES];
};

struct http {
    struct event_base *base;
    const struct http_options *o;
    struct event *on_engine, *on_engine_room, *on_tick, *on_stop;
    struct acceptor acceptors[LISTENERS_MAX];
    int64_t ends_ms;   /* since when the engine is gone; 0: it is there */
    bool accepts_rest; /* no descriptors or no memory: until the next tick */
    struct connection *connections, *free;
    size_t slots, in_use;
    struct connection *oldest, *newest; /* READING and LINGERING, by when they began to */
    size_t stalled, stalled_turn;
    size_t kept_bytes;
    struct buf body; /* of the answer that is being sent */
    struct control_words words;
    struct control_request request;
    struct control_answer answer;
    char input[READ_BYTES];
    int64_t told_s;  /* the second in which engine was told of refusals, */
    unsigned told;   /* how often, */
    uint32_t untold; /* and how many it was not told of yet */
    struct refused refused[CONTROL_CODE__MAX];
    int64_t date_s; /* when date was written */
    char date[32];
};

/* ---- connections that wait for their client, oldest first ---- */

static void list_add(struct http *h, struct connection *c)
{
    c->newer = NULL;
    c->older = h->newest;
    *(h->newest != NULL ? &h->newest->newer : &h->oldest) = c;
    h->newest = c;
}

static void list_remove(struct http *h, struct connection *c)
{
    *(c->older != NULL ? &c->older->newer : &h->oldest) = c->newer;
    *(c->newer != NULL ? &c->newer->older : &h->newest) = c->older;
}

static bool is_idle(enum state state)
{
    return state == READING || state == LINGERING;
}

static void enter(struct http *h, struct connection *c, enum state state)
{
    if (is_idle(c->state))
        list_remove(h, c);
    h->stalled -= c->state == STALLED;
    h->stalled += state == STALLED;
    c->state = state;
    c->since_ms = clock_monotonic_ms();
    if (is_idle(state))
        list_add(h, c);
    if (state == READING) {
        c->idle_ms = c->since_ms;
        c->since_ms = 0;
    }
}

static void drop(struct http *h, struct connection *c)
{
    (void)event_del(&c->on_in);
    (void)event_del(&c->on_out);
    (void)close(c->fd);
    h->kept_bytes -= c->in_bytes;
    free(c->in);
    free(c->out);
    c->in = c->out = NULL;
    c->in_len = c->in_bytes = c->out_len = 0;
    enter(h, c, FREE);
    c->generation++;
    c->newer = h->free;
    h->free = c;
    h->in_use--;
}

static void read_more(struct connection *c)
{
    if (!c->is_reading && event_add(&c->on_in, NULL) == 0)
        c->is_reading = true;
}

static void read_no_more(struct connection *c)
{
    if (c->is_reading && event_del(&c->on_in) == 0)
        c->is_reading = false;
}

/* ---- input that has to wait ---- */

/* Room for READ_BYTES at most. A client that finds no memory left takes it from the one that has
 * not sent its request for longest. */
static bool grow(struct http *h, struct connection *c, size_t want)
{
    size_t bytes = c->in_bytes > 0 ? c->in_bytes : KEPT_BYTES_MIN;
    while (bytes < want)
        bytes *= 2;
    if (bytes > READ_BYTES)
        bytes = READ_BYTES;
    for (struct connection *old = h->oldest, *next; old != NULL; old = next) {
        next = old->newer;
        if (h->kept_bytes - c->in_bytes + bytes <= KEPT_BYTES_MAX)
            break;
        if (old != c && old->in_bytes > 0)
            drop(h, old);
    }
    if (want > bytes || h->kept_bytes - c->in_bytes + bytes > KEPT_BYTES_MAX)
        return false;
    char *in = realloc(c->in, bytes);
    if (in == NULL)
        return false;
    h->kept_bytes += bytes - c->in_bytes;
    c->in = in;
    c->in_bytes = bytes;
    return true;
}

/* The rest of what was read, of c->in itself or of h->input. */
static bool keep(struct http *h, struct connection *c, const char *rest, size_t len)
{
    if (len == 0) {
        h->kept_bytes -= c->in_bytes;
        free(c->in);
        c->in = NULL;
        c->in_len = c->in_bytes = 0;
        return true;
    }
    if (c->in == NULL && !grow(h, c, len))
        return false;
    memmove(c->in, rest, len);
    c->in_len = len;
    return true;
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

/* The answer is out. */
static void finish(struct http *h, struct connection *c)
{
    if (c->keep_alive) {
        enter(h, c, READING);
        return;
    }
    (void)shutdown(c->fd, SHUT_WR);
    (void)keep(h, c, NULL, 0);
    enter(h, c, LINGERING);
    read_more(c);
}

/* What the socket does not take is copied: c is SENDING then, or gone. */
static void send_pieces(struct http *h, struct connection *c, const struct iovec pieces[static 2])
{
    size_t whole = pieces[0].iov_len + pieces[1].iov_len;
    ssize_t n = writev(c->fd, pieces, 2);
    if (n == (ssize_t)whole) {
        finish(h, c);
        return;
    }
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        drop(h, c);
        return;
    }
    size_t sent = n > 0 ? (size_t)n : 0;
    c->out = malloc(whole);
    if (c->out == NULL || event_add(&c->on_out, NULL) != 0) {
        drop(h, c);
        return;
    }
    memcpy(c->out, pieces[0].iov_base, pieces[0].iov_len);
    memcpy(c->out + pieces[0].iov_len, pieces[1].iov_base, pieces[1].iov_len);
    c->out_len = whole;
    c->out_at = sent;
    enter(h, c, SENDING);
}

static const char json_type[] = "application/json";

/* RFC 9110 section 6.6.1: who has a clock says so. Written once a second. */
static const char *date_of(struct http *h)
{
    const time_t now_s = (time_t)clock_now_s();
    struct tm tm;
    if (h->date_s != now_s && gmtime_r(&now_s, &tm) != NULL &&
        strftime(h->date, sizeof(h->date), "%a, %d %b %Y %H:%M:%S GMT", &tm) != 0)
        h->date_s = now_s;
    return h->date;
}

/* h->body, as the one answer to the request that c is at. allow: RFC 9110 section 15.5.6 */
static void send_body(struct http *h, struct connection *c, int status, const char *type,
                      const char *allow)
{
    char head[384];
    int n = snprintf(head, sizeof(head),
                     "HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                     "Cache-Control: no-store\r\n%s%s%s%s%s\r\n",
                     status, reason_phrase(status), date_of(h), type, h->body.len,
                     status == 401 ? "WWW-Authenticate: Bearer\r\n" : "",
                     allow != NULL ? "Allow: " : "", allow != NULL ? allow : "",
                     allow != NULL ? "\r\n" : "", c->keep_alive ? "" : "Connection: close\r\n");
    c->continued = false;
    send_pieces(
        h, c,
        (struct iovec[]){{.iov_base = head, .iov_len = (size_t)n},
                         {.iov_base = h->body.data, .iov_len = c->is_head ? 0 : h->body.len}});
}

/* a->code, a->error and a->report are the answer. */
static void send_answer(struct http *h, struct connection *c, const struct control_answer *a,
                        int status, const char *allow)
{
    const char *type = a->report_bytes == 0           ? json_type
                       : a->action == CONTROL_METRICS ? "text/plain; version=0.0.4"
                                                      : "text/plain; charset=utf-8";
    buf_clear(&h->body);
    if (control_format(a, h->o->site, &h->words, &h->body) == 0)
        send_body(h, c, status, type, allow);
    else
        drop(h, c);
}

static void send_error(struct http *h, struct connection *c, int status, enum control_code code,
                       const char *allow, const char *error)
{
    struct control_answer *a = &h->answer;
    memset(a, 0, offsetof(struct control_answer, report));
    a->code = (uint32_t)code;
    (void)snprintf(a->error, sizeof(a->error), "%s", error);
    send_answer(h, c, a, status, allow);
}

/* What we refuse ourselves engine counts and logs. It is told so seldom that a stranger costs it
 * nothing: by code, each time of all since the last, and of that one what it was. */
static void tell_engine(struct http *h, enum control_code code)
{
    struct control_request *r = &h->request;
    struct refused *last = &h->refused[code];
    const int64_t now_s = clock_monotonic_ms() / 1000;
    if (h->told_s != now_s) {
        h->told_s = now_s;
        h->told = 0;
    }
    if (last->untold == 0 || h->told == TELLS_A_SECOND || h->ends_ms != 0)
        return;
    control_request_init(r, CONTROL_REFUSED);
    r->is_open = last->is_open;
    r->code = (uint32_t)code;
    r->count = last->untold;
    memcpy(r->address, last->address, sizeof(r->address));
    (void)control_request_set(r, CONTROL_WHY, last->why, strlen(last->why));
    if (send(h->o->engine_fd, r, control_request_bytes(r), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        return;
    h->told++;
    h->untold -= last->untold;
    last->untold = 0;
}

static void note_refused(struct http *h, const struct connection *c, enum control_code code,
                         const char *why)
{
    struct refused *last = &h->refused[code];
    last->is_open = c->is_open;
    memcpy(last->address, c->address, sizeof(last->address));
    (void)snprintf(last->why, sizeof(last->why), "%s", why);
    last->untold += h->untold < UINT32_MAX;
    h->untold += h->untold < UINT32_MAX;
    tell_engine(h, code);
}

/* After which the two of us no longer agree where the next request begins. */
static size_t refuse(struct http *h, struct connection *c, int status, enum control_code code,
                     const char *error)
{
    c->keep_alive = false;
    note_refused(h, c, code, error);
    send_error(h, c, status, code, NULL, error);
    return 0;
}

/* ---- requests ---- */

static bool is_json(const struct http_text *type)
{
    size_t len = sizeof(json_type) - 1;
    return type->len >= len && strncasecmp(type->at, json_type, len) == 0 &&
           (type->len == len || strchr("; \t", type->at[len]) != NULL);
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

/* An address and nothing else, into out in the spelling of inet_ntop(3). */
static bool read_address(struct http_text t, char out[static CONTROL_ADDRESS_BYTES])
{
    char text[CONTROL_ADDRESS_BYTES];
    struct in6_addr v6;
    struct in_addr v4;
    if (t.len == 0 || t.len >= sizeof(text))
        return false;
    memcpy(text, t.at, t.len);
    text[t.len] = '\0';
    if (strlen(text) != t.len)
        return false;
    if (inet_pton(AF_INET, text, &v4) == 1)
        return inet_ntop(AF_INET, &v4, out, CONTROL_ADDRESS_BYTES) != NULL;
    if (inet_pton(AF_INET6, text, &v6) != 1)
        return false;
    return (IN6_IS_ADDR_V4MAPPED(&v6)
                ? inet_ntop(AF_INET, v6.s6_addr + 12, out, CONTROL_ADDRESS_BYTES)
                : inet_ntop(AF_INET6, &v6, out, CONTROL_ADDRESS_BYTES)) != NULL;
}

/* The last of a list: who connected to the proxy. What stands before it that client may have
 * written itself. */
static struct http_text last_of(struct http_text list)
{
    const char *comma = memrchr(list.at, ',', list.len);
    if (comma != NULL) {
        list.len -= (size_t)(comma + 1 - list.at);
        list.at = comma + 1;
    }
    while (list.len > 0 && (list.at[0] == ' ' || list.at[0] == '\t')) {
        list.at++;
        list.len--;
    }
    return list;
}

/* Who asked, by the word of the proxy that the listener is for. False: it says none. */
static bool take_proxied_address(struct connection *c, const struct http_head *head)
{
    c->address[0] = '\0';
    if (c->proxy == PROXY_HEADER_REAL_IP)
        return !head->real_ip_twice && read_address(head->real_ip, c->address);
    return head->forwarded_for.len > 0 && read_address(last_of(head->forwarded_for), c->address);
}

/* Why a request is refused whatever its body is, and with what. NULL: it is not. */
static const char *find_problem(struct connection *c, const struct http_head *head, int *ret_status,
                                enum control_code *ret_code, const char **ret_allow)
{
    bool is_post = http_text_is(&head->path, "/");
    *ret_code = CONTROL_BAD_REQUEST;
    *ret_status = 400;
    *ret_allow = NULL;
    if (c->proxy != PROXY_HEADER_NONE && !take_proxied_address(c, head))
        return "the proxy before this gateway names no plain address in ProxyHeader";
    if (report_at(&head->path) == 0 && (!is_post || c->is_open)) {
        *ret_code = CONTROL_NOT_FOUND;
        *ret_status = 404;
        return is_post ? "this address serves metrics alone" : "there is nothing at this path";
    }
    if (is_post ? !http_text_is(&head->method, "POST")
                : !http_text_is(&head->method, "GET") && !http_text_is(&head->method, "HEAD")) {
        *ret_status = 405;
        *ret_allow = is_post ? "POST" : "GET, HEAD";
        return is_post ? "this path takes POST" : "this path takes GET";
    }
    if (is_post && !head->has_length)
        return "Content-Length is missing";
    if (head->content_length > CONTROL_BODY_BYTES) {
        *ret_code = CONTROL_TOO_LARGE;
        *ret_status = 413;
        return "the body is larger than 64 KiB";
    }
    if (!is_post && head->content_length > 0)
        return "this request has no body";
    if (is_post && !is_json(&head->content_type)) {
        *ret_code = CONTROL_UNSUPPORTED;
        *ret_status = 415;
        return "the body must be application/json";
    }
    return NULL;
}

/* Into h->request. NULL; or why not. */
static const char *fill_request(struct http *h, const struct connection *c,
                                const struct http_head *head, const char *body)
{
    struct control_request *r = &h->request;
    control_request_init(r, report_at(&head->path));
    r->is_open = c->is_open;
    memcpy(r->address, c->address, sizeof(r->address));
    if (head->credential.len != 0 &&
        control_request_set(r, CONTROL_CREDENTIAL, head->credential.at, head->credential.len) != 0)
        return "the credential is too long";
    return r->action == 0 ? control_parse(body, head->content_length, r) : NULL;
}

static const char stopping[] = "the gateway is stopping: try again";

/* To engine. False: it has no room now, and the request stays where it is. */
static bool hand_over(struct http *h, struct connection *c)
{
    struct control_request *r = &h->request;
    if (h->ends_ms != 0) {
        send_error(h, c, 503, CONTROL_UNAVAILABLE, NULL, stopping);
        return true;
    }
    r->id = (uint64_t)c->generation << 32 | (uint64_t)(c - h->connections);
    ssize_t n = send(h->o->engine_fd, r, control_request_bytes(r), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == EINTR)) {
        (void)event_add(h->on_engine_room, NULL);
        if (c->state != STALLED)
            enter(h, c, STALLED); /* its time runs from the first try */
        return false;
    }
    enter(h, c, WAITING); /* of a lost engine too: its end is seen by on_engine */
    return true;
}

/* RFC 9110 section 10.1.1 */
static void go_on(struct http *h, struct connection *c, const struct http_head *head)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    if (!head->expects_continue || c->continued)
        return;
    c->continued = true;
    if (write(c->fd, text, sizeof(text) - 1) != (ssize_t)sizeof(text) - 1)
        drop(h, c); /* nothing else is on its way: such a client does not read */
}

/*
 * One request, if it is all there: how many bytes were taken. 0: none, yet or ever; what c->state
 * says. What can be refused by the head alone is, without a wait for the body.
 */
static size_t take_one(struct http *h, struct connection *c, const char *text, size_t len)
{
    struct http_head head;
    enum control_code code;
    const char *allow;
    int status;
    size_t head_bytes = http_parse_head(text, len, &head, &status);

    c->is_head = false;
    if (c->proxy != PROXY_HEADER_NONE)
        c->address[0] = '\0'; /* of the request before */
    if (status != 0)
        return refuse(h, c, status, status == 431 ? CONTROL_TOO_LARGE : CONTROL_BAD_REQUEST,
                      status == 431   ? "the header is larger than 8 KiB or 64 lines"
                      : status == 501 ? "a body comes with Content-Length, and without a coding"
                                      : "malformed HTTP request");
    if (head_bytes == 0)
        return 0;
    bool is_whole =
        head.content_length <= CONTROL_BODY_BYTES && len - head_bytes >= head.content_length;
    /* A body without a length would be read as the next request. */
    is_whole = is_whole && (head.has_length || !http_text_is(&head.method, "POST"));
    c->keep_alive = head.keep_alive && is_whole;
    c->is_head = http_text_is(&head.method, "HEAD");
    const char *problem = find_problem(c, &head, &status, &code, &allow);
    if (problem == NULL && !is_whole) {
        go_on(h, c, &head);
        return 0;
    }
    if (problem == NULL) {
        allow = NULL;
        status = 400;
        code = CONTROL_BAD_REQUEST;
        problem = fill_request(h, c, &head, text + head_bytes);
    }
    if (problem != NULL) {
        note_refused(h, c, code, problem);
        send_error(h, c, status, code, allow, problem);
    } else if (!hand_over(h, c))
        return 0;
    return is_whole ? head_bytes + head.content_length : 0;
}

/* Pipelined requests (RFC 9112 section 9.3.2), one at a time and in order. text is c->in or
 * h->input. */
static void take(struct http *h, struct connection *c, const char *text, size_t len)
{
    size_t used = 0, n;
    do {
        n = take_one(h, c, text + used, len - used);
        used += n;
    } while (n > 0 && used < len && c->state == READING);
    if (c->state == FREE || c->state == LINGERING)
        return;
    if (!keep(h, c, text + used, len - used))
        drop(h, c);
    else if (c->state == READING && used < len && c->since_ms == 0)
        c->since_ms = clock_monotonic_ms();
}

/* After an answer: the next request, if it is here already. */
static void resume(struct http *h, struct connection *c)
{
    if (c->state == READING && c->in_len > 0)
        take(h, c, c->in, c->in_len);
    if (c->state == READING)
        read_more(c);
}

static void on_client_in(evutil_socket_t fd, short what, void *arg)
{
    struct connection *c = arg;
    struct http *h = c->http;
    (void)what;
    if (!is_idle(c->state)) { /* pipelined, or an end: when this request is answered */
        read_no_more(c);
        return;
    }
    if (c->in_len > 0 && c->in_len == c->in_bytes && !grow(h, c, c->in_len + 1)) {
        drop(h, c);
        return;
    }
    bool kept = c->in_len > 0;
    char *to = kept ? c->in : h->input;
    ssize_t n = recv(fd, to + c->in_len, (kept ? c->in_bytes : READ_BYTES) - c->in_len, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        drop(h, c);
        return;
    }
    if (c->state == LINGERING)
        return;
    if (c->since_ms == 0)
        c->since_ms = clock_monotonic_ms();
    take(h, c, to, c->in_len + (size_t)n);
}

static void on_client_out(evutil_socket_t fd, short what, void *arg)
{
    struct connection *c = arg;
    struct http *h = c->http;
    (void)what;
    ssize_t n = write(fd, c->out + c->out_at, c->out_len - c->out_at);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n < 0) {
        drop(h, c);
        return;
    }
    c->out_at += (size_t)n;
    if (c->out_at < c->out_len)
        return;
    (void)event_del(&c->on_out);
    free(c->out);
    c->out = NULL;
    finish(h, c);
    resume(h, c);
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

static void tick_soon(struct http *h)
{
    const struct timeval after = {.tv_usec = TICK_MS * 1000};
    if (event_pending(h->on_tick, EV_TIMEOUT, NULL) == 0)
        (void)event_add(h->on_tick, &after);
}

static void start_connection(struct acceptor *a, int fd, const struct sockaddr_storage *peer)
{
    struct http *h = a->http;
    const int on = 1, bytes = BUFFER_BYTES;
    /* When all are taken: who has gone longest without a whole request makes room. */
    if (h->free == NULL && h->oldest != NULL)
        drop(h, h->oldest);
    struct connection *c = h->free;
    if (c == NULL) {
        (void)close(fd);
        return;
    }
    h->free = c->newer;
    h->in_use++;
    *c = (struct connection){.http = h,
                             .fd = fd,
                             .is_open = a->listener->is_open,
                             .proxy = a->listener->proxy,
                             .generation = c->generation + 1};
    describe_peer(peer, c->address);
    /* Not of the listener: who came before we did, to a socket that waited for us, has none of it.
     */
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    if (peer->ss_family != AF_UNIX)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)event_assign(&c->on_in, h->base, fd, EV_READ | EV_PERSIST, on_client_in, c);
    (void)event_assign(&c->on_out, h->base, fd, EV_WRITE | EV_PERSIST, on_client_out, c);
    enter(h, c, READING);
    read_more(c);
    if (!c->is_reading)
        drop(h, c);
    tick_soon(h);
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
    struct acceptor *a = arg;
    struct http *h = a->http;
    (void)what;
    for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
        struct sockaddr_storage peer;
        socklen_t len = sizeof(peer);
        memset(&peer, 0, sizeof(peer));
        int client = accept4(fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (client >= 0) {
            start_connection(a, client, &peer);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            (void)event_del(&a->on_accept); /* it would be ready again at once, for nothing */
            h->accepts_rest = true;
            tick_soon(h);
        }
        return;
    }
}

/* ---- engine ---- */

static void deliver(struct http *h, const struct control_answer *a)
{
    size_t slot = (size_t)(a->id & UINT32_MAX);
    struct connection *c = slot < h->slots ? &h->connections[slot] : NULL;
    if (c == NULL || c->state != WAITING || c->generation != (uint32_t)(a->id >> 32))
        return; /* it went away, or was answered when its time was over */
    send_answer(h, c, a, control_code_status((enum control_code)a->code), NULL);
    resume(h, c);
}

/*
 * All that engine answered is out. What it never got is refused, and what the last ones were sent
 * they have the time to read: to close at once could take it from them. Nobody else is let in: the
 * addresses are the next leased's.
 */
static void begin_end(struct http *h)
{
    h->ends_ms = clock_monotonic_ms();
    (void)event_del(h->on_engine);
    (void)event_del(h->on_engine_room);
    for (size_t i = 0; i < h->o->listener_count; i++) {
        (void)event_del(&h->acceptors[i].on_accept);
        (void)close(h->acceptors[i].listener->fd);
    }
    h->accepts_rest = false;
    for (size_t i = 0; i < h->slots; i++) {
        struct connection *c = &h->connections[i];
        if (c->state == WAITING || c->state == STALLED) {
            c->keep_alive = false;
            send_error(h, c, 503, CONTROL_UNAVAILABLE, NULL, stopping);
        }
    }
    const struct timeval after = {.tv_usec = LAST_MS * 1000};
    (void)event_add(h->on_tick, &after);
}

/* Whether an answer is still on its way. */
static bool is_sending(const struct http *h)
{
    for (size_t i = 0; i < h->slots; i++)
        if (h->connections[i].state == SENDING)
            return clock_monotonic_ms() - h->ends_ms < LAST_MAX_MS;
    return false;
}

static void on_engine(evutil_socket_t fd, short what, void *arg)
{
    struct http *h = arg;
    (void)what;
    for (int i = 0; i < ANSWERS_AT_ONCE; i++) {
        ssize_t n = recv(fd, &h->answer, sizeof(h->answer), MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0) {
            begin_end(h);
            return;
        }
        if (control_answer_problem(&h->answer, (size_t)n) == NULL)
            deliver(h, &h->answer);
    }
}

static void on_engine_room(evutil_socket_t fd, short what, void *arg)
{
    struct http *h = arg;
    (void)fd;
    (void)what;
    /* From where the last turn ended: the first slots must not have all the room. */
    for (size_t i = 0; i < h->slots && h->stalled > 0; i++) {
        struct connection *c = &h->connections[(h->stalled_turn + i) % h->slots];
        if (c->state != STALLED)
            continue;
        take(h, c, c->in, c->in_len);
        if (c->state == STALLED) {
            h->stalled_turn = (h->stalled_turn + i) % h->slots;
            return;
        }
        resume(h, c);
    }
}

/* ---- time ---- */

static void look_at(struct http *h, struct connection *c, int64_t now_ms)
{
    int64_t waits_ms = now_ms - c->since_ms;
    switch (c->state) {
    case READING:
        if (c->since_ms != 0 ? waits_ms > REQUEST_MS : now_ms - c->idle_ms > IDLE_MS)
            drop(h, c);
        break;
    case STALLED:
    case WAITING:
        if (waits_ms > ENGINE_MS) {
            c->generation++;         /* a late answer is not for the next request */
            if (c->state == STALLED) /* which still lies in the input */
                c->keep_alive = false;
            send_error(h, c, 503, CONTROL_UNAVAILABLE, NULL, "the gateway is busy: try again");
            resume(h, c);
        }
        break;
    case SENDING:
        if (waits_ms > SEND_MS)
            drop(h, c);
        break;
    case LINGERING:
        if (waits_ms > LINGER_MS)
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
    for (size_t i = 0; i < h->slots && h->in_use > 0; i++)
        look_at(h, &h->connections[i], now_ms);
    if (h->ends_ms != 0 && !is_sending(h))
        (void)event_base_loopbreak(h->base);
    for (size_t i = 0; i < h->o->listener_count && h->accepts_rest; i++)
        (void)event_add(&h->acceptors[i].on_accept, NULL);
    h->accepts_rest = false;
    for (int code = CONTROL_OK; code < CONTROL_CODE__MAX && h->untold > 0; code++)
        tell_engine(h, (enum control_code)code);
    if (h->in_use > 0 || h->ends_ms != 0 || h->untold > 0)
        tick_soon(h);
}

static void on_stop(evutil_socket_t sig, short what, void *arg)
{
    struct http *h = arg;
    (void)sig;
    (void)what;
    (void)event_base_loopbreak(h->base);
}

/* ---- start and end ---- */

/* As many as descriptors allow. */
static size_t slots_allowed(void)
{
    const rlim_t want = CONNECTIONS_MAX + CONNECTIONS_SPARE;
    struct rlimit files = {.rlim_cur = 1024, .rlim_max = 1024};
    (void)getrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur < want) {
        struct rlimit more = {.rlim_cur = files.rlim_max < want ? files.rlim_max : want,
                              .rlim_max = files.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &more) == 0)
            files = more;
    }
    if (files.rlim_cur >= want)
        return CONNECTIONS_MAX;
    return files.rlim_cur > 2 * CONNECTIONS_SPARE ? (size_t)files.rlim_cur - CONNECTIONS_SPARE
                                                  : CONNECTIONS_SPARE;
}

static int set_up(struct http *h)
{
    const struct http_options *o = h->o;
    (void)date_of(h); /* the first time it looks for a time zone, which it may not do later */
    h->slots = slots_allowed();
    h->connections = calloc(h->slots, sizeof(*h->connections));
    h->base = event_base_new();
    if (h->connections == NULL || h->base == NULL || o->listener_count > LISTENERS_MAX)
        return -1;
    for (size_t i = h->slots; i-- > 0; h->free = &h->connections[i])
        h->connections[i].newer = h->free;
    h->on_engine = event_new(h->base, o->engine_fd, EV_READ | EV_PERSIST, on_engine, h);
    h->on_engine_room = event_new(h->base, o->engine_fd, EV_WRITE, on_engine_room, h);
    h->on_tick = evtimer_new(h->base, on_tick, h);
    h->on_stop = evsignal_new(h->base, SIGTERM, on_stop, h);
    if (h->on_engine == NULL || h->on_engine_room == NULL || h->on_tick == NULL ||
        h->on_stop == NULL || event_add(h->on_engine, NULL) != 0 ||
        event_add(h->on_stop, NULL) != 0)
        return -1;
    for (size_t i = 0; i < o->listener_count; i++) {
        struct acceptor *a = &h->acceptors[i];
        a->http = h;
        a->listener = &o->listeners[i];
        (void)event_assign(&a->on_accept, h->base, a->listener->fd, EV_READ | EV_PERSIST, on_accept,
                           a);
        if (event_add(&a->on_accept, NULL) != 0)
            return -1;
    }
    return 0;
}

static void tear_down(struct http *h)
{
    for (size_t i = 0; h->connections != NULL && i < h->slots; i++)
        if (h->connections[i].state != FREE)
            drop(h, &h->connections[i]);
    struct event *events[] = {h->on_engine, h->on_engine_room, h->on_tick, h->on_stop};
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
        if (events[i] != NULL)
            event_free(events[i]);
    for (size_t i = 0; i < LISTENERS_MAX; i++)
        if (h->acceptors[i].http != NULL)
            (void)event_del(&h->acceptors[i].on_accept);
    if (h->base != NULL)
        event_base_free(h->base);
    buf_release(&h->body);
    control_words_release(&h->words);
    free(h->connections);
}

/* EXIT_SUCCESS: it is. */
static int confine(const struct http_options *o)
{
    char why[128], us[256];
    ssize_t n = readlink("/proc/self/exe", us, sizeof(us) - 1);
    us[n > 0 ? n : 0] = '\0';
    int rc = confine_http(o->unconfined, why, sizeof(why));
    if (rc == CONFINE_REFUSED)
        log_error("http cannot be confined (%s): kernel or container refuse it. To go on without, "
                  "'systemctl edit leased.service' with the lines '[Service]', 'ExecStart=' and "
                  "'ExecStart=%s -D -u'; see leased(8)",
                  why, us);
    else if (rc != 0)
        log_error("http cannot be confined (%s)", why);
    else if (why[0] != '\0')
        log_warn("http is not confined as it should be (%s); it goes on, since -u says so", why);
    return rc == 0 ? EXIT_SUCCESS : rc == CONFINE_REFUSED ? EX_CONFIG : EXIT_FAILURE;
}

/* From within the loop: what was said before it may not come true. */
static void on_ready(evutil_socket_t fd, short what, void *arg)
{
    struct http *h = arg;
    struct control_request r;
    (void)fd;
    (void)what;
    control_request_init(&r, CONTROL_READY);
    if (send(h->o->engine_fd, &r, control_request_bytes(&r), MSG_NOSIGNAL) < 0) {
        log_error("http cannot tell the engine that it is ready: %s", strerror(errno));
        (void)event_base_loopbreak(h->base);
    }
}

int http_run(const struct http_options *o)
{
    static struct http h; /* large, and there is one */
    int rc = EXIT_FAILURE;
    h.o = o;
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN); /* of a terminal: engine gets it, too, and ends in order */
    if (set_up(&h) != 0) {
        log_error("http cannot start: %s", strerror(errno));
        goto out;
    }
    rc = confine(o);
    if (rc == EXIT_SUCCESS && (event_base_once(h.base, -1, EV_TIMEOUT, on_ready, &h, NULL) != 0 ||
                               event_base_dispatch(h.base) < 0))
        rc = EXIT_FAILURE;
out:
    tear_down(&h);
    return rc;
}
