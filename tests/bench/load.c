/* SPDX-License-Identifier: ISC */
/*
 * load PORT CONNECTIONS SECONDS FILE NUMBERS [PID...]: sends the bytes of FILE, one HTTP request,
 * over and over on so many keep-alive connections, one request of each under way at a time. The
 * first 00000000 in FILE becomes the number of the request, counted up to NUMBERS and from 0 again,
 * so that agents differ.
 *
 * Prints requests per second, microseconds of processor time a request of all PIDs together, the
 * median and the 99th percentile of the latency in microseconds, how many requests were answered
 * since the start (a tenth of the time goes by before the rest is counted), the longest latency,
 * and how many answers were not 200. Every request that was sent is waited for.
 */
#include <errno.h>
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
static char *digits; /* of the request: where a number goes, or NULL */
static size_t numbers;
static uint64_t done, refused, answered;
static uint32_t latency[LATENCY_US]; /* how many took so many microseconds */
static int64_t longest_us;

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

static double processor_us(long pid)
{
    char path[64], line[1024];
    unsigned long user = 0, system = 0;
    (void)snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
    FILE *f = fopen(path, "re");
    if (f == NULL || fgets(line, sizeof(line), f) == NULL)
        die(path);
    (void)fclose(f);
    const char *at = strrchr(line, ')');
    if (at == NULL ||
        sscanf(at + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
        die(path);
    return (double)(user + system) * 1e6 / (double)sysconf(_SC_CLK_TCK);
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

static void send_request(struct client *c, size_t number)
{
    char text[9];
    if (digits != NULL) {
        (void)snprintf(text, sizeof(text), "%08u", (unsigned)(number % numbers));
        memcpy(digits, text, 8);
    }
    c->got = 0;
    c->sent_ns = now_ns();
    if (write(c->fd, request, request_bytes) != (ssize_t)request_bytes)
        die("write");
}

/* The bytes of the whole answer; 0: not known yet. */
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

/* True: the answer is whole. */
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
    if (took_us > longest_us)
        longest_us = took_us;
    done++;
    answered++;
    if (strncmp(c->answer + 9, "200", 3) != 0 && refused++ == 0)
        (void)fprintf(stderr, "%s\n", c->answer);
    return true;
}

static unsigned quantile_us(double share)
{
    uint64_t seen = 0;
    unsigned us = 0;
    while (us < LATENCY_US - 1 && (double)(seen += latency[us]) < share * (double)done)
        us++;
    return us;
}

static void run(struct client *clients, size_t count, double seconds)
{
    int loop = epoll_create1(EPOLL_CLOEXEC);
    int64_t end_ns = now_ns() + (int64_t)(seconds * 1e9);
    size_t number = 0, under_way = count;
    for (size_t i = 0; i < count; i++) {
        struct epoll_event e = {.events = EPOLLIN, .data = {.ptr = &clients[i]}};
        if (epoll_ctl(loop, EPOLL_CTL_ADD, clients[i].fd, &e) != 0)
            die("epoll_ctl");
        send_request(&clients[i], number++);
    }
    while (under_way > 0) {
        struct epoll_event events[EVENTS];
        int n = epoll_wait(loop, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            if (!receive(events[i].data.ptr))
                continue;
            if (now_ns() < end_ns)
                send_request(events[i].data.ptr, number++);
            else
                under_way--;
        }
    }
    (void)close(loop);
}

int main(int argc, char **argv)
{
    double spent_us = 0;
    if (argc < 6) {
        (void)fputs("usage: load PORT CONNECTIONS SECONDS FILE NUMBERS [PID...]\n", stderr);
        return 2;
    }
    size_t count = strtoul(argv[2], NULL, 10);
    double seconds = strtod(argv[3], NULL);
    struct client *clients = calloc(count, sizeof(*clients));
    if (clients == NULL)
        die("calloc");
    read_request(argv[4]);
    numbers = strtoul(argv[5], NULL, 10);
    if (numbers == 0 || numbers > 100000000)
        return 2;
    for (size_t i = 0; i < count; i++)
        connect_client(&clients[i], (uint16_t)strtoul(argv[1], NULL, 10));
    run(clients, count, seconds / 10); /* warm */
    memset(latency, 0, sizeof(latency));
    done = 0;
    longest_us = 0;
    for (int i = 6; i < argc; i++)
        spent_us -= processor_us(atol(argv[i]));
    int64_t start_ns = now_ns();
    run(clients, count, seconds);
    double took_s = (double)(now_ns() - start_ns) / 1e9;
    for (int i = 6; i < argc; i++)
        spent_us += processor_us(atol(argv[i]));
    (void)printf("%.0f %.2f %u %u %llu %lld %llu\n", (double)done / took_s, spent_us / (double)done,
                 quantile_us(0.5), quantile_us(0.99), (unsigned long long)answered,
                 (long long)longest_us, (unsigned long long)refused);
    free(clients);
    return 0;
}
