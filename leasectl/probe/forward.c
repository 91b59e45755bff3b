/* SPDX-License-Identifier: ISC */
#include "leasectl/probe/forward.h"

#include "leasectl/child.h"
#include "leasectl/probe/greeter.h"
#include "leasectl/probe/loopback.h"
#include "lib/base/clock.h"

#include <bsd/string.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* How long to wait for data from a service that was reached. */
enum { SILENCE_MS = 2000 };

/* The far end has closed the connection: ssh says why, perhaps a moment later. */
static enum attempt_verdict conclude_closed(struct child *c,
                                            char evidence[static ATTEMPT_EVIDENCE_BYTES])
{
    for (int i = 0; i < 20 && channel_verdict(c) == ATTEMPT_UNCLEAR; i++)
        if (child_pump(c, 20))
            break;
    if (channel_verdict(c) != ATTEMPT_UNCLEAR)
        return conclude_channel(c, evidence);
    (void)strlcpy(evidence, "the service took the connection and closed it",
                  ATTEMPT_EVIDENCE_BYTES);
    return ATTEMPT_ALLOWED;
}

/*
 * Reads from a connection that leads to the target until data comes. A service that waits for its
 * client to speak first gets a line of HTTP, which any HTTP server answers and any other survives.
 */
static enum attempt_verdict expect_data(struct child *c, int fd, const char *preamble,
                                        size_t preamble_bytes,
                                        char evidence[static ATTEMPT_EVIDENCE_BYTES])
{
    static const char http_request[] = "GET / HTTP/1.0\r\n\r\n";
    char data[512];
    int64_t start_ms = clock_monotonic_ms();
    size_t to_skip = 0;
    bool has_sent = false;

    if (preamble_bytes > 0) { /* SOCKS5 (RFC 1928): two replies of ssh's own come first */
        (void)send(fd, preamble, preamble_bytes, MSG_NOSIGNAL);
        to_skip = 2 + 10;
        has_sent = true;
    }
    while (clock_monotonic_ms() - start_ms < SILENCE_MS) {
        struct pollfd pfd = {.fd = fd, .events = POLLIN};
        if (poll(&pfd, 1, 100) > 0) {
            ssize_t n = recv(fd, data, sizeof(data) - 1, 0);
            size_t got = n > 0 ? (size_t)n : 0;
            if (got > to_skip) {
                data[n] = '\0';
                char line[ATTEMPT_EVIDENCE_BYTES];
                quote_ssh_line(data + to_skip, line);
                (void)snprintf(evidence, ATTEMPT_EVIDENCE_BYTES, "data came back: %.200s", line);
                return ATTEMPT_ALLOWED;
            }
            to_skip -= got;
            if (n <= 0)
                return conclude_closed(c, evidence);
        }
        (void)child_pump(c, 0);
        if (!has_sent && clock_monotonic_ms() - start_ms > 300) {
            (void)send(fd, http_request, sizeof(http_request) - 1, MSG_NOSIGNAL);
            has_sent = true;
        }
    }
    if (channel_verdict(c) != ATTEMPT_UNCLEAR)
        return conclude_channel(c, evidence);
    (void)strlcpy(evidence, "the connection stands; the service sent nothing for 2 s",
                  ATTEMPT_EVIDENCE_BYTES);
    return ATTEMPT_ALLOWED;
}

/* Connects to ssh's local listener as soon as it is there. -1: ssh ended first, or time is up. */
static int connect_when_up(struct child *c, uint16_t port)
{
    int64_t end_ms = clock_monotonic_ms() + ATTEMPT_MS;
    while (clock_monotonic_ms() < end_ms) {
        int fd = loopback_connect(port);
        if (fd >= 0)
            return fd;
        if (child_pump(c, 10))
            return -1;
    }
    return -1;
}

enum attempt_verdict try_local(struct ssh_args *a, const struct attempt_target *t, const char *to,
                               bool dynamic, char evidence[static ATTEMPT_EVIDENCE_BYTES])
{
    char spec[ATTEMPT_WORD_BYTES + 32];
    unsigned char socks[3 + 10] = {5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1};
    struct child c;
    enum attempt_verdict v;
    uint16_t port = loopback_free_port();

    if (dynamic) {
        unsigned long target =
            strtoul(strrchr(to, ':') != NULL ? strrchr(to, ':') + 1 : "0", NULL, 10);
        socks[11] = (unsigned char)(target >> 8);
        socks[12] = (unsigned char)target;
        (void)snprintf(spec, sizeof(spec), "127.0.0.1:%u", port);
    } else {
        (void)snprintf(spec, sizeof(spec), "127.0.0.1:%u:%s", port, to);
    }
    ssh_add_option(a, "ExitOnForwardFailure=yes");
    ssh_add_arg(a, "-N");
    ssh_add_arg(a, dynamic ? "-D" : "-L");
    ssh_add_arg(a, spec);
    ssh_add_arg(a, t->host);
    if (child_start(&c, a->argv, ssh_env) != 0) {
        (void)snprintf(evidence, ATTEMPT_EVIDENCE_BYTES, "ssh cannot be started: %s",
                       strerror(errno));
        return ATTEMPT_UNCLEAR;
    }
    int fd = connect_when_up(&c, port);
    if (fd < 0) {
        v = conclude_channel(&c, evidence);
    } else {
        v = expect_data(&c, fd, (const char *)socks, dynamic ? sizeof(socks) : 0, evidence);
        (void)close(fd);
    }
    child_release(&c);
    return v;
}

enum attempt_verdict try_stdio(struct ssh_args *a, const struct attempt_target *t, const char *to,
                               char evidence[static ATTEMPT_EVIDENCE_BYTES])
{
    struct child c;
    enum attempt_verdict v = ATTEMPT_UNCLEAR;
    int64_t end_ms = clock_monotonic_ms() + ATTEMPT_MS;

    ssh_add_arg(a, "-W");
    ssh_add_arg(a, to);
    ssh_add_arg(a, t->host);
    if (child_start(&c, a->argv, ssh_env) != 0)
        return ATTEMPT_UNCLEAR;
    while (c.out_text.len == 0 && !child_pump(&c, 100) && clock_monotonic_ms() < end_ms)
        continue;
    if (c.out_text.len > 0) {
        (void)strlcpy(evidence, "data came back", ATTEMPT_EVIDENCE_BYTES);
        v = ATTEMPT_ALLOWED;
    } else {
        v = conclude_channel(&c, evidence);
    }
    child_release(&c);
    return v;
}

/* The port that a successful -R listens on, for -R 0 as ssh tells it; 0 for a unix socket. */
static uint16_t listening_port(const struct child *c, const char *bind)
{
    const char *allocated = strstr(child_text(&c->err_text), "Allocated port ");
    const char *colon = strrchr(bind, ':');
    if (allocated != NULL)
        return (uint16_t)strtoul(allocated + strlen("Allocated port "), NULL, 10);
    return colon != NULL ? (uint16_t)strtoul(colon + 1, NULL, 10) : 0;
}

enum attempt_verdict try_reverse(struct ssh_args *a, const struct attempt_target *t,
                                 const char *bind, char evidence[static ATTEMPT_EVIDENCE_BYTES])
{
    char spec[ATTEMPT_WORD_BYTES + 32];
    struct child c;
    struct greeter service = {.pid = -1};
    enum attempt_verdict v = ATTEMPT_UNCLEAR;
    int64_t end_ms = clock_monotonic_ms() + ATTEMPT_MS;

    if (greeter_start(&service, 0, NULL) != 0) {
        (void)strlcpy(evidence, "no local port to lead the forward to", ATTEMPT_EVIDENCE_BYTES);
        return ATTEMPT_UNCLEAR;
    }
    (void)snprintf(spec, sizeof(spec), "%s:127.0.0.1:%u", bind, service.port);
    ssh_add_arg(a, "-v"); /* only debug lines show that it worked */
    ssh_add_arg(a, "-N");
    ssh_add_arg(a, "-R");
    ssh_add_arg(a, spec);
    ssh_add_arg(a, t->host);
    if (child_start(&c, a->argv, ssh_env) != 0)
        goto out;
    while (!ssh_says(&c, "remote forward success") && !ssh_says(&c, "remote forward failure") &&
           !ssh_says(&c, "Allocated port") && clock_monotonic_ms() < end_ms)
        if (child_pump(&c, 50))
            break;
    if (ssh_says(&c, "remote forward success") || ssh_says(&c, "Allocated port")) {
        uint16_t port = listening_port(&c, bind);
        int fd = port != 0 ? connect_when_up(&c, port) : -1;
        v = ATTEMPT_ALLOWED;
        if (fd >= 0)
            v = expect_data(&c, fd, NULL, 0, evidence);
        else
            quote_reason(&c, port != 0 ? "\n\n" : "remote forward success", evidence);
        if (fd >= 0)
            (void)close(fd);
    } else if (ssh_says(&c, "remote forward failure")) {
        v = ATTEMPT_REFUSED;
        quote_reason(&c, "remote forward failure", evidence);
    } else {
        v = connection_verdict(&c) != ATTEMPT_ALLOWED ? connection_verdict(&c) : ATTEMPT_UNCLEAR;
        quote_last_words(&c, evidence);
    }
    child_release(&c);
    struct stat st;
    if (bind[0] == '/' && lstat(bind, &st) == 0 && S_ISSOCK(st.st_mode))
        (void)unlink(bind); /* sshd leaves a socket that it has made where it is */
out:
    greeter_stop(&service);
    return v;
}

enum attempt_verdict try_tun(struct ssh_args *a, const struct attempt_target *t, const char *unit,
                             char evidence[static ATTEMPT_EVIDENCE_BYTES])
{
    struct child c;
    enum attempt_verdict v = ATTEMPT_UNCLEAR;
    int64_t end_ms = clock_monotonic_ms() + ATTEMPT_MS;

    if (access("/dev/net/tun", R_OK | W_OK) != 0 || geteuid() != 0) {
        (void)strlcpy(evidence, "needs root and /dev/net/tun on this side", ATTEMPT_EVIDENCE_BYTES);
        return ATTEMPT_UNCLEAR;
    }
    ssh_add_option(a, "ExitOnForwardFailure=yes");
    ssh_add_arg(a, "-vv"); /* only debug lines show that it worked */
    ssh_add_arg(a, "-N");
    ssh_add_arg(a, "-w");
    ssh_add_arg(a, unit);
    ssh_add_arg(a, t->host);
    if (child_start(&c, a->argv, ssh_env) != 0)
        return ATTEMPT_UNCLEAR;
    while (!ssh_says(&c, "open confirm") && !ssh_says(&c, "open failed") &&
           clock_monotonic_ms() < end_ms)
        if (child_pump(&c, 50))
            break;
    if (ssh_says(&c, "Tunnel device open failed") || ssh_says(&c, "tunnel device open failed")) {
        (void)strlcpy(evidence, "this side's tun device cannot be opened", ATTEMPT_EVIDENCE_BYTES);
    } else if (ssh_says(&c, "administratively prohibited")) {
        v = ATTEMPT_REFUSED;
        quote_reason(&c, "administratively prohibited", evidence);
    } else if (ssh_says(&c, "Server has rejected tunnel device forwarding")) {
        v = ATTEMPT_REFUSED;
        quote_reason(&c, "Server has rejected tunnel", evidence);
    } else if (ssh_says(&c, "open failed")) { /* permitted, but the device could not be opened */
        v = ATTEMPT_DOWN;
        quote_reason(&c, "open failed", evidence);
    } else if (ssh_says(&c, "open confirm")) {
        v = ATTEMPT_ALLOWED;
        (void)strlcpy(evidence, "the gateway opened its tun device", ATTEMPT_EVIDENCE_BYTES);
    } else {
        v = connection_verdict(&c) != ATTEMPT_ALLOWED ? connection_verdict(&c) : ATTEMPT_UNCLEAR;
        quote_last_words(&c, evidence);
    }
    child_release(&c);
    return v;
}
