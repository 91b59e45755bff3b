/* SPDX-License-Identifier: ISC */
/*
 * load PORT CONNECTIONS SECONDS[@RATE] FILE NUMBERS [PID...]: sends the bytes of FILE, one HTTP
 * request, again and again on CONNECTIONS keep-alive connections, with at most one request of each
 * in flight. Without RATE it sends the next request as soon as one is answered. With RATE it sends
 * that many a second; a request waits when no connection is free, and its latency counts from the
 * moment at which it was due. The first 00000000 in FILE becomes a number below NUMBERS, the number
 * of an agent. All numbers come in turn, but not in ascending order, in which the store has them
 * and in which real agents do not send.
 *
 * Prints: requests per second; microseconds of processor time per request, of all PIDs together;
 * median, 99th percentile and maximum of the latency in microseconds; the number of requests that
 * were answered; and how many answers were not 200. Waits for the answer of every request. Without
 * RATE it first warms up for a tenth of SECONDS, which only the last two figures include.
 */
#include <errno.h>
#include <glob.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { REQUEST_BYTES = 65536, ANSWER_BYTES = 65536, EVENTS = 128, LATENCY_US = 1000000 };

struct client {
    int fd;
    int64_t sent_ns;
    size_t got;
    char answer[ANSWER_BYTES];
};

static char request[REQUEST_BYTES];
static size_t request_bytes;
static char *digits; /* where the number goes in the request, or NULL */
static size_t numbers, stride = 1;
static uint64_t done, refused, answered;
static int64_t longest_us;
static uint32_t latency[LATENCY_US]; /* [n]: how many took n microseconds */

static _Noreturn void die(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static int64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* From schedstat, which counts nanoseconds of each thread: /proc/PID/stat has ticks of 10 ms. */
static double processor_us(long pid)
{
    char pattern[64];
    unsigned long long ns, sum = 0;
    glob_t files = {0};
    (void)snprintf(pattern, sizeof(pattern), "/proc/%ld/task/*/schedstat", pid);
    if (glob(pattern, 0, NULL, &files) != 0)
        die(pattern);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        FILE *f = fopen(files.gl_pathv[i], "re");
        if (f == NULL || fscanf(f, "%llu", &ns) != 1)
            die(files.gl_pathv[i]);
        (void)fclose(f);
        sum += ns;
    }
    globfree(&files);
    return (double)sum / 1e3;
}

static void read_request(const char *path)
{
    FILE *f = fopen(path, "re");
    if (f == NULL)
        die(path);
    request_bytes = fread(request, 1, sizeof(request) - 1, f);
    (void)fclose(f);
    digits = strstr(request, "00000000");
}

static void connect_client(struct client *c, uint16_t port)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const int on = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&to, sizeof(to)) != 0)
        die("connect");
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void send_request(struct client *c, size_t number, int64_t due_ns)
{
    char text[9];
    if (digits != NULL) {
        (void)snprintf(text, sizeof(text), "%08u", (unsigned)(number * stride % numbers));
        memcpy(digits, text, 8);
    }
    c->got = 0;
    c->sent_ns = due_ns;
    if (write(c->fd, request, request_bytes) != (ssize_t)request_bytes)
        die("write");
}

/* Returns the length of the whole answer, or 0 while it is unknown. */
static size_t answer_bytes(const struct client *c)
{
    const char *end = memmem(c->answer, c->got, "\r\n\r\n", 4);
    if (end == NULL)
        return 0;
    for (const char *at = c->answer; at < end; at = strstr(at, "\r\n") + 2)
        if (strncasecmp(at, "content-length:", 15) == 0)
            return (size_t)(end - c->answer) + 4 + strtoul(at + 15, NULL, 10);
    return (size_t)(end - c->answer) + 4;
}

/* Returns true when the whole answer has come. */
static bool receive(struct client *c)
{
    ssize_t n = read(c->fd, c->answer + c->got, sizeof(c->answer) - 1 - c->got);
    if (n <= 0)
        die("the server closed a connection");
    c->got += (size_t)n;
    c->answer[c->got] = '\0';
    size_t whole = answer_bytes(c);
    if (whole == 0 || c->got < whole)
        return false;
    int64_t took_us = (now_ns() - c->sent_ns) / 1000;
    latency[took_us < LATENCY_US ? took_us : LATENCY_US - 1]++;
    longest_us = took_us > longest_us ? took_us : longest_us;
    done++;
    answered++;
    if (strncmp(c->answer + 9, "200", 3) != 0 && refused++ == 0)
        (void)fprintf(stderr, "%s\n", c->answer);
    return true;
}

static size_t common_divisor(size_t a, size_t b)
{
    return b == 0 ? a : common_divisor(b, a % b);
}

/* A stride of the golden section: the next number is far from all recent ones. */
static size_t stride_of(size_t count)
{
    size_t ret = (size_t)(0.618 * (double)count);
    while (ret < 2 || common_divisor(ret, count) != 1)
        ret++;
    return ret;
}

static unsigned quantile_us(double share)
{
    uint64_t seen = 0;
    unsigned us = 0;
    while (us < LATENCY_US - 1 && (double)(seen += latency[us]) < share * (double)done)
        us++;
    return us;
}

static void run(struct client *clients, size_t count, double seconds, double rate)
{
    int loop = epoll_create1(EPOLL_CLOEXEC);
    const int64_t start_ns = now_ns(), end_ns = start_ns + (int64_t)(seconds * 1e9);
    struct client **idle = calloc(count, sizeof(struct client *));
    size_t number = 0, idle_count = 0;
    if (loop < 0 || idle == NULL)
        die("epoll");
    for (size_t i = 0; i < count; i++) {
        struct epoll_event e = {.events = EPOLLIN, .data = {.ptr = &clients[i]}};
        if (epoll_ctl(loop, EPOLL_CTL_ADD, clients[i].fd, &e) != 0)
            die("epoll_ctl");
        idle[idle_count++] = &clients[i];
    }
    for (int64_t at_ns = start_ns; at_ns < end_ns || idle_count < count; at_ns = now_ns()) {
        struct epoll_event events[EVENTS];
        struct timespec pause = {.tv_sec = 1};
        int64_t due_ns = at_ns;
        while (idle_count > 0 && at_ns < end_ns) {
            if (rate > 0)
                due_ns = start_ns + (int64_t)((double)number * 1e9 / rate);
            if (due_ns > at_ns) {
                pause = (struct timespec){.tv_sec = (due_ns - at_ns) / 1000000000,
                                          .tv_nsec = (due_ns - at_ns) % 1000000000};
                break;
            }
            send_request(idle[--idle_count], number++, rate > 0 ? due_ns : now_ns());
        }
        int n = epoll_pwait2(loop, events, EVENTS, &pause, NULL);
        for (int i = 0; i < n; i++)
            if (receive(events[i].data.ptr))
                idle[idle_count++] = events[i].data.ptr;
    }
    free(idle);
    (void)close(loop);
}

int main(int argc, char **argv)
{
    double spent_us = 0;
    if (argc < 6) {
        (void)fputs("usage: load PORT CONNECTIONS SECONDS[@RATE] FILE NUMBERS [PID...]\n", stderr);
        return 2;
    }
    size_t count = strtoul(argv[2], NULL, 10);
    char *rest;
    double seconds = strtod(argv[3], &rest);
    double rate = *rest == '@' ? strtod(rest + 1, NULL) : 0;
    struct client *clients = calloc(count, sizeof(*clients));
    if (clients == NULL)
        die("calloc");
    read_request(argv[4]);
    numbers = strtoul(argv[5], NULL, 10);
    if (numbers == 0 || numbers > 100000000)
        return 2;
    stride = stride_of(numbers);
    for (size_t i = 0; i < count; i++)
        connect_client(&clients[i], (uint16_t)strtoul(argv[1], NULL, 10));
    if (rate == 0) /* warm */
        run(clients, count, seconds / 10, rate);
    memset(latency, 0, sizeof(latency));
    done = 0;
    longest_us = 0;
    for (int i = 6; i < argc; i++)
        spent_us -= processor_us(atol(argv[i]));
    int64_t start_ns = now_ns();
    run(clients, count, seconds, rate);
    double took_s = (double)(now_ns() - start_ns) / 1e9;
    for (int i = 6; i < argc; i++)
        spent_us += processor_us(atol(argv[i]));
    (void)printf("%.0f %.2f %u %u %lld %llu %llu\n", (double)done / took_s, spent_us / (double)done,
                 quantile_us(0.5), quantile_us(0.99), (long long)longest_us,
                 (unsigned long long)answered, (unsigned long long)refused);
    free(clients);
    return 0;
}
