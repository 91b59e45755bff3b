/* SPDX-License-Identifier: ISC */
/*
 * http_engine [-u] [-n FILES]: leased's http process with a stand-in for engine that has no store.
 * It answers every packet at once, as engine could, so that a test knows what to expect and the
 * bench measures http alone.
 *
 * Prints `ready PORT METRICS_PORT HTTP_PID` and serves until a line or the end of its standard
 * input; then it closes its end of the packets, and its exit status is that of http. A line
 * `stop` ends http by SIGTERM instead; `pause` and `go` make it read no packets for a while, and
 * are printed when they hold.
 *
 * By agent_id: `silent` is never answered, `unknown` is 404, `gone` 410, `held` 409. A credential
 * `wrong` is 401. If control_request_problem refuses a packet, it exits with 3.
 */
#include "leased/http/http.h"
#include "lib/base/log.h"
#include "lib/wire/control.h"

#include <bsd/string.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BACKLOG = 512, NOBODY = 65534, BAD_PACKET = 3, SEND_BUFFER_BYTES = 1024 * 1024 };

static _Noreturn void die(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static int listen_on_loopback(unsigned *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        die("listen");
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static enum control_code decide(const struct control_request *r)
{
    static const struct {
        const char *agent_id;
        enum control_code code;
    } special[] = {
        {"unknown", CONTROL_NOT_FOUND}, {"gone", CONTROL_GONE}, {"held", CONTROL_CONFLICT}};
    const char *id = control_request_get(r, CONTROL_AGENT_ID);
    if (r->action == CONTROL_HEALTH)
        return CONTROL_OK;
    if (strcmp(control_request_get(r, CONTROL_CREDENTIAL), "wrong") == 0)
        return CONTROL_UNAUTHORIZED;
    for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
        if (strcmp(id, special[i].agent_id) == 0)
            return special[i].code;
    return CONTROL_OK;
}

static void fill_answer(const struct control_request *r, struct control_answer *a)
{
    memset(a, 0, offsetof(struct control_answer, report));
    a->id = r->id;
    a->action = r->action;
    a->code = (uint32_t)decide(r);
    (void)strlcpy(a->error, "said by the stand-in", sizeof(a->error));
    (void)strlcpy(a->agent_id, control_request_get(r, CONTROL_AGENT_ID), sizeof(a->agent_id));
    (void)strlcpy(a->user, control_request_get(r, CONTROL_USER), sizeof(a->user));
    (void)strlcpy(a->secret, "0123456789abcdef0123456789abcdef", sizeof(a->secret));
    a->port_b = r->port_b != 0 ? r->port_b : 20001;
    a->tunnel = CONTROL_TUNNEL_UP;
    a->lease_ttl_s = 604800;
    a->lease_expires_s = time(NULL) + a->lease_ttl_s;
    if (a->code != CONTROL_OK)
        return;
    if (r->action == CONTROL_HEALTH) {
        a->report_bytes = 3;
        memcpy(a->report, "ok\n", 3);
    } else if (r->action == CONTROL_METRICS) { /* as large as a report can be */
        a->report_bytes = CONTROL_REPORT_BYTES;
        memset(a->report, '#', CONTROL_REPORT_BYTES);
        a->report[CONTROL_REPORT_BYTES - 1] = '\n';
    }
}

/* Answers all packets that have come. False: http closed its end. */
static bool serve(int fd)
{
    static struct control_request r;
    static struct control_answer a;
    for (;;) {
        ssize_t n = recv(fd, &r, sizeof(r), MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno == ECONNRESET))
            return false;
        if (n < 0)
            return true;
        if (control_request_problem(&r, (size_t)n) != NULL) {
            (void)fprintf(stderr, "a bad packet: %s\n", control_request_problem(&r, (size_t)n));
            exit(BAD_PACKET);
        }
        if (r.action == CONTROL_READY || r.action == CONTROL_REFUSED ||
            strcmp(control_request_get(&r, CONTROL_AGENT_ID), "silent") == 0)
            continue;
        fill_answer(&r, &a);
        while (send(fd, &a, control_answer_bytes(&a), MSG_NOSIGNAL) < 0) {
            struct pollfd room = {.fd = fd, .events = POLLOUT};
            if (errno != EAGAIN || poll(&room, 1, -1) < 0)
                return false;
        }
    }
}

static void engine_loop(int fd, pid_t http)
{
    bool paused = false;
    for (;;) {
        struct pollfd events[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                                  {.fd = paused ? -1 : fd, .events = POLLIN}};
        if (poll(events, 2, -1) < 0)
            die("poll");
        if (events[1].revents != 0 && !serve(fd))
            return;
        if (events[0].revents == 0)
            continue;
        char word[16] = "";
        if (read(STDIN_FILENO, word, sizeof(word) - 1) <= 0)
            return;
        if (strcmp(word, "stop\n") == 0)
            (void)kill(http, SIGTERM);
        else if (strcmp(word, "pause\n") == 0 || strcmp(word, "go\n") == 0) {
            paused = word[0] == 'p';
            if (fputs(word, stdout) < 0 || fflush(stdout) != 0)
                die("stdout");
        } else
            return;
    }
}

static _Noreturn void be_http(const struct http_options *options)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (geteuid() == 0 &&
        (setresgid(NOBODY, NOBODY, NOBODY) != 0 || setresuid(NOBODY, NOBODY, NOBODY) != 0))
        die("setresuid");
    log_init("http_engine", true);
    exit(http_loop(options));
}

int main(int argc, char **argv)
{
    static struct control_site site = {.ssh_user = "gw-tunnel",
                                       .jump_user = "li",
                                       .ssh_host = "gateway.example.com",
                                       .reverse_bind_host = "127.0.0.1",
                                       .ssh_port = 22,
                                       .heartbeat_interval_s = 60,
                                       .host_keys = {"ssh-ed25519 AAAA"}};
    struct http_listener listeners[2];
    struct http_options options = {
        .listeners = listeners, .listener_count = 2, .site = &site, .unconfined = false};
    const int bytes = SEND_BUFFER_BYTES; /* as http_process.c has it */
    unsigned port, metrics_port;
    int fds[2], status = 0, opt;

    while ((opt = getopt(argc, argv, "un:")) != -1) {
        struct rlimit files = {.rlim_cur = (rlim_t)atoi(opt == 'n' ? optarg : "0")};
        files.rlim_max = files.rlim_cur;
        if (opt == 'u')
            options.unconfined = true;
        else if (opt != 'n' || setrlimit(RLIMIT_NOFILE, &files) != 0)
            return 2;
    }
    listeners[0] = (struct http_listener){.fd = listen_on_loopback(&port)};
    listeners[1] =
        (struct http_listener){.fd = listen_on_loopback(&metrics_port), .on_metrics_listen = true};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
        die("socketpair");
    for (int i = 0; i < 2; i++)
        (void)setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    pid_t pid = fork();
    if (pid < 0)
        die("fork");
    if (pid == 0) {
        (void)close(fds[0]);
        options.engine_fd = fds[1];
        be_http(&options);
    }
    (void)close(fds[1]);
    (void)close(listeners[0].fd);
    (void)close(listeners[1].fd);
    (void)printf("ready %u %u %d\n", port, metrics_port, (int)pid);
    (void)fflush(stdout);
    engine_loop(fds[0], pid);
    (void)close(fds[0]);
    if (waitpid(pid, &status, 0) != pid)
        die("waitpid");
    if (WIFSIGNALED(status))
        (void)fprintf(stderr, "http died of signal %d\n", WTERMSIG(status));
    return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}
