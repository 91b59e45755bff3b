/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/tunnel/status_socket.h"

#include "lib/base/buf.h"
#include "tunnel-agent/host/exchange.h"

#include <event2/event.h>
#include <event2/util.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { LISTEN_QUEUE = 16 };

static void on_client(evutil_socket_t fd, short what, void *ctx)
{
    const struct status_socket *s = ctx;
    struct buf text = {0};
    char form = 0;
    (void)what;
    for (;;) {
        int client = accept(fd, NULL, NULL);
        if (client < 0)
            return;
        const struct timeval patience = {.tv_usec = 200000};
        (void)evutil_make_socket_closeonexec(client);
        /* The request is one byte, sent right after connect(2). The answer fits into the socket's
         * buffer unless there are hundreds of forwards. A client that neither sends nor reads must
         * not block us. */
        (void)setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        (void)setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
        form = 't';
        (void)!recv(client, &form, 1, 0);
        buf_clear(&text);
        s->format(s->ctx, form == 'j', &text);
        for (size_t sent = 0; sent < text.len;) {
            ssize_t n = send(client, text.data + sent, text.len - sent, MSG_NOSIGNAL);
            if (n <= 0)
                break;
            sent += (size_t)n;
        }
        (void)close(client);
        buf_release(&text);
    }
}

int status_socket_open(struct status_socket *s, struct event_base *base, const char *run_dir,
                       const char **ret_why)
{
    struct sockaddr_un address;
    (void)snprintf(s->path, sizeof(s->path), "%.480s/%d.status", run_dir, (int)getpid());
    *ret_why = "the state directory's path is too long for a socket in it";
    if (exchange_unix_address(s->path, &address) != 0)
        return -1;
    *ret_why = NULL;
    (void)unlink(s->path);
    s->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (s->fd < 0)
        return -1;
    (void)evutil_make_socket_closeonexec(s->fd);
    (void)evutil_make_socket_nonblocking(s->fd);
    if (bind(s->fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        chmod(s->path, 0600) != 0 || listen(s->fd, LISTEN_QUEUE) != 0)
        return -1;
    s->event = event_new(base, s->fd, EV_READ | EV_PERSIST, on_client, s);
    return s->event != NULL && event_add(s->event, NULL) == 0 ? 0 : -1;
}

void status_socket_close(struct status_socket *s)
{
    if (s->event != NULL)
        event_free(s->event);
    if (s->fd > 0) { /* 0 is standard input */
        (void)close(s->fd);
        (void)unlink(s->path);
    }
}
