/* SPDX-License-Identifier: ISC */
#include "leased/http/answer.h"

#include "leased/http/page_parts.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/wire/join.h"

#include <errno.h>
#include <event2/event.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

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

/* ---- writing ---- */

/* The whole answer was written. */
static void finish(struct connection *c)
{
    if (c->keep_alive) {
        connection_set_state(c, CONNECTION_READING);
        return;
    }
    (void)shutdown(c->fd, SHUT_WR);
    (void)connection_buffer_input(c, NULL, 0);
    connection_set_state(c, CONNECTION_LINGERING);
    connection_start_reading(c);
}

/* If the socket does not take all of it, copies the answer and sets c to SENDING, or drops it. */
static void send_pieces(struct connection *c, const struct iovec pieces[static 2])
{
    size_t whole = pieces[0].iov_len + pieces[1].iov_len;
    ssize_t n = writev(c->fd, pieces, 2);
    if (n == (ssize_t)whole) {
        finish(c);
        return;
    }
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        connection_drop(c);
        return;
    }
    size_t sent = n > 0 ? (size_t)n : 0;
    c->out = malloc(whole);
    if (c->out == NULL || event_add(&c->on_out, NULL) != 0) {
        connection_drop(c);
        return;
    }
    memcpy(c->out, pieces[0].iov_base, pieces[0].iov_len);
    memcpy(c->out + pieces[0].iov_len, pieces[1].iov_base, pieces[1].iov_len);
    c->out_len = whole;
    c->out_at = sent;
    connection_set_state(c, CONNECTION_SENDING);
}

void answer_send_rest(struct connection *c)
{
    ssize_t n = write(c->fd, c->out + c->out_at, c->out_len - c->out_at);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n < 0) {
        connection_drop(c);
        return;
    }
    c->out_at += (size_t)n;
    if (c->out_at < c->out_len)
        return;
    (void)event_del(&c->on_out);
    free(c->out);
    c->out = NULL;
    finish(c);
}

/* ---- head and body ---- */

/* RFC 9110 section 6.6.1: a server with a clock sends Date. Formatted once a second. */
static const char *date_of(struct answers *a)
{
    const time_t now_s = (time_t)clock_now_s();
    struct tm tm;
    if (a->date_s != now_s && gmtime_r(&now_s, &tm) != NULL &&
        strftime(a->date, sizeof(a->date), "%a, %d %b %Y %H:%M:%S GMT", &tm) != 0)
        a->date_s = now_s;
    return a->date;
}

/*
 * What the page may do in a browser: only load its own parts and read its own data. It is not kept,
 * not framed, and no other site learns its address or loads a part of it.
 */
static const char page_headers[] =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'\r\n"
    "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n";

/* A body, and what its head says of it. */
struct content {
    const char *type, *text;
    size_t bytes;
};

/* allow: the methods of a 405 (RFC 9110 section 15.5.6), or NULL. */
static void send_content(struct answers *a, struct connection *c, int status,
                         const struct content *content, const char *allow)
{
    char head[384 + sizeof(page_headers)];
    int n = snprintf(head, sizeof(head),
                     "HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                     "Cache-Control: no-store\r\n%s%s%s%s%s%s\r\n",
                     status, reason_phrase(status), date_of(a), content->type, content->bytes,
                     status == 401 ? "WWW-Authenticate: Bearer\r\n" : "",
                     c->is_page ? page_headers : "", allow != NULL ? "Allow: " : "",
                     allow != NULL ? allow : "", allow != NULL ? "\r\n" : "",
                     c->keep_alive ? "" : "Connection: close\r\n");
    c->sent_continue = false;
    union { /* writev(2) does not write to it */
        const void *in;
        void *out;
    } body = {.in = content->text};
    send_pieces(
        c, (struct iovec[]){{.iov_base = head, .iov_len = (size_t)n},
                            {.iov_base = body.out, .iov_len = c->head_only ? 0 : content->bytes}});
}

static int format(struct answers *a, const struct control_answer *answer)
{
    struct buf text = {0};
    if (answer->action != CONTROL_JOIN || answer->code != CONTROL_OK)
        return control_format(answer, a->site, &a->site_cache, &a->body);
    buf_add_mem(&text, answer->report, answer->report_bytes);
    int rc = buf_text(&text) != NULL
                 ? join_answer_format(answer->join_exit, buf_text(&text), &a->body)
                 : -1;
    if (text.data != NULL)
        explicit_bzero(text.data, text.cap); /* it may hold an agent's secret */
    buf_release(&text);
    return rc;
}

static void send_formatted(struct answers *a, struct connection *c,
                           const struct control_answer *answer, int status, const char *allow)
{
    struct content content = {
        .type = answer->report_bytes == 0 || answer->action == CONTROL_STATUS ||
                        answer->action == CONTROL_JOIN
                    ? "application/json"
                : answer->action == CONTROL_METRICS ? "text/plain; version=0.0.4"
                                                    : "text/plain; charset=utf-8"};
    buf_clear(&a->body);
    if (format(a, answer) != 0) {
        connection_drop(c);
        return;
    }
    content.text = a->body.data;
    content.bytes = a->body.len;
    send_content(a, c, status, &content, allow);
}

bool answer_add_packet(struct connection *c, const struct control_answer *answer)
{
    buf_add_mem(&c->whole, answer->report, answer->report_bytes);
    if (c->whole.failed || c->whole.len > answer->whole_bytes) {
        connection_drop(c);
        return false;
    }
    return c->whole.len == answer->whole_bytes;
}

static void send_whole(struct answers *a, struct connection *c)
{
    struct buf whole = c->whole; /* sending may drop c */
    const struct content content = {
        .type = "application/json", .text = whole.data, .bytes = whole.len};
    c->whole = (struct buf){0};
    send_content(a, c, 200, &content, NULL);
    buf_release(&whole);
}

void answer_send(struct answers *a, struct connection *c, const struct control_answer *answer)
{
    const struct page_part *part = c->part;
    c->part = NULL;
    if (answer->code == CONTROL_OK && part != NULL)
        send_content(
            a, c, 200,
            &(struct content){.type = part->type, .text = part->text, .bytes = part->bytes}, NULL);
    else if (c->whole.len > 0)
        send_whole(a, c);
    else
        send_formatted(a, c, answer, control_code_status((enum control_code)answer->code), NULL);
}

void answer_refuse(struct answers *a, struct connection *c, const struct refusal *refusal)
{
    struct control_answer *own = &a->own_answer;
    memset(own, 0, offsetof(struct control_answer, report));
    own->code = (uint32_t)refusal->code;
    (void)snprintf(own->error, sizeof(own->error), "%s", refusal->why);
    send_formatted(a, c, own, refusal->status, refusal->allow);
}

void answers_init(struct answers *a, const struct control_site *site)
{
    a->site = site;
    (void)date_of(a); /* the first call reads the time zone's file: impossible once confined */
}

void answers_release(struct answers *a)
{
    buf_release(&a->body);
    control_site_cache_release(&a->site_cache);
}
