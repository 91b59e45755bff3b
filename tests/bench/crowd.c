/* SPDX-License-Identifier: ISC */
/*
 * crowd DATABASE RUNDIR SESSIONS LOW HIGH [CONNECTIONS]: listens on loopback's ports LOW to HIGH,
 * and registers a session for each of the store's first SESSIONS leases. A session is two processes
 * that do nothing, as those of sshd: a monitor, and its child, which runs as nobody and ends with
 * it. The child has CONNECTIONS (none) open, as forwards have, to a process of crowd that writes
 * into each of them once a second. Prints "ready", and runs until it is killed, which ends all
 * these processes.
 */
#include "lib/base/clock.h"
#include "lib/base/descriptors.h"
#include "lib/lease/lease.h"
#include "lib/session/process.h"
#include "lib/session/registry_write.h"
#include "lib/store/connection.h"
#include "lib/store/leases.h"
#include "lib/store/open_read.h"
#include "lib/store/store.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <err.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534, PORTS_PER_PROCESS = 900 };

static volatile sig_atomic_t stopping;
static unsigned connections; /* of each session */
static struct sockaddr_in target;

static void stop(int sig)
{
    (void)sig;
    stopping = 1;
}

static void wait_for_ever(void)
{
    for (;;)
        (void)pause();
}

static int loopback_socket(uint16_t port)
{
    const int on = 1;
    target = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, (const struct sockaddr *)&target, sizeof(target)) != 0 || listen(fd, 128) != 0)
        err(1, "port %u", port);
    return fd;
}

static _Noreturn void serve(int fd)
{
    static int clients[65536];
    static const char bytes[1000];
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    size_t count = 0;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int64_t next_ms = 0;;) {
        if (poll(&waiting, 1, 1000) == 1 && count < sizeof(clients) / sizeof(clients[0]))
            clients[count++] = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (clock_monotonic_ms() < next_ms)
            continue;
        next_ms = clock_monotonic_ms() + 1000;
        for (size_t i = 0; i < count; i++)
            (void)!write(clients[i], bytes, sizeof(bytes));
    }
}

/* Sets `target` to a port that a process of its own serves. */
static void start_service(void)
{
    socklen_t len = sizeof(target);
    int fd = loopback_socket(0);
    if (getsockname(fd, (struct sockaddr *)&target, &len) != 0)
        err(1, "getsockname");
    if (fork() == 0)
        serve(fd);
    (void)close(fd);
}

/* What comes is read, as sshd does. */
static _Noreturn void use_connections(const int *fds)
{
    static char bytes[4096];
    struct pollfd waiting[64];
    for (unsigned i = 0; i < connections; i++)
        waiting[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    for (;;) {
        (void)poll(waiting, connections, -1);
        for (unsigned i = 0; i < connections; i++)
            if (waiting[i].revents != 0 && read(waiting[i].fd, bytes, sizeof(bytes)) == 0)
                waiting[i].fd = -1;
    }
}

static void connect_all(int *fds)
{
    for (unsigned i = 0; i < connections; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fds[i] < 0 || connect(fds[i], (const struct sockaddr *)&target, sizeof(target)) != 0)
            _exit(1);
    }
}

/* Writes a byte to `ready` when both processes run. */
static void run_session(int ready)
{
    const struct sigaction on_term = {.sa_handler = stop};
    sigset_t term, none;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setsid();
    (void)sigaction(SIGTERM, &on_term, NULL);
    (void)sigemptyset(&none);
    term = none;
    (void)sigaddset(&term, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &term, NULL);
    pid_t child = fork();
    if (child < 0)
        _exit(1);
    if (child == 0) {
        (void)signal(SIGTERM, SIG_DFL);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        if (setresuid(NOBODY, NOBODY, NOBODY) != 0)
            _exit(1);
        int fds[64];
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        connect_all(fds);
        if (write(ready, "", 1) == 1)
            use_connections(fds);
        _exit(1);
    }
    while (!stopping)
        (void)sigsuspend(&none);
    (void)kill(child, SIGTERM);
    (void)waitpid(child, NULL, 0);
    _exit(0);
}

static pid_t start_session(void)
{
    int ready[2];
    char c;
    if (pipe(ready) != 0)
        err(1, "pipe");
    pid_t pid = fork();
    if (pid == 0)
        run_session(ready[1]);
    (void)close(ready[1]);
    if (pid > 0 && read(ready[0], &c, 1) != 1)
        pid = -1;
    (void)close(ready[0]);
    return pid;
}

static void add_session(const struct registry *r, const struct lease *l)
{
    char listens[PERMIT_TEXT_BYTES], opens[PERMIT_TEXT_BYTES] = "";
    struct process p;
    pid_t pid = start_session();
    if (pid < 0 || process_read(pid, &p) != SIGHT_IS || l->listen.count != 1 || l->key_count != 1)
        err(1, "a session of %s", l->name);
    permit_format(&l->listen.items[0], listens);
    struct session s = {.pid = pid,
                        .start_ticks = p.start_ticks,
                        .open = true,
                        .lease_id = l->id,
                        .uid = NOBODY,
                        .since_s = clock_now_s(),
                        .opens = opens,
                        .listens = listens};
    (void)strlcpy(s.lease, l->name, sizeof(s.lease));
    (void)strlcpy(s.login, l->login, sizeof(s.login));
    (void)strlcpy(s.fingerprint, l->keys[0].pub.fingerprint, sizeof(s.fingerprint));
    (void)strlcpy(s.source, "192.0.2.1", sizeof(s.source));
    if (registry_open_session(r, &s) != 0)
        err(1, "an entry");
}

static void add_sessions(const char *database, const char *run_dir, int64_t count)
{
    char why[STORE_ERROR_BYTES];
    struct store *st = NULL;
    struct registry r;
    if (store_open_read(database, &st, why) != STORE_OK)
        errx(1, "%s", why);
    if (registry_open(run_dir, true, &r) != 0)
        err(1, "%s", run_dir);
    for (int64_t id = 1; id <= count; id++) {
        struct lease l;
        if (store_lease_by_id(st, id, &l) != STORE_OK)
            errx(1, "lease %lld: %s", (long long)id, store_error(st));
        add_session(&r, &l);
        lease_release(&l);
    }
    registry_close(&r);
    store_close(st);
}

static void listen_on(uint16_t port)
{
    (void)loopback_socket(port);
}

/* In several processes, because one may not have so many descriptors. */
static void listen_all(unsigned low, unsigned high)
{
    for (; low <= high; low += PORTS_PER_PROCESS) {
        int fds[2];
        char done;
        if (pipe(fds) != 0)
            err(1, "pipe");
        pid_t pid = fork();
        if (pid < 0)
            err(1, "fork");
        if (pid > 0) {
            (void)close(fds[1]);
            if (read(fds[0], &done, 1) != 1)
                errx(1, "not all listen");
            (void)close(fds[0]);
            continue;
        }
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (unsigned port = low; port <= high && port < low + PORTS_PER_PROCESS; port++)
            listen_on((uint16_t)port);
        if (write(fds[1], "", 1) != 1)
            err(1, "pipe");
        wait_for_ever();
    }
}

int main(int argc, char **argv)
{
    if (argc != 6 && argc != 7)
        errx(2, "usage: crowd DATABASE RUNDIR SESSIONS LOW HIGH [CONNECTIONS]");
    descriptors_raise_limit();
    if (argc == 7) {
        connections = (unsigned)strtonum(argv[6], 1, 64, NULL);
        start_service();
    }
    add_sessions(argv[1], argv[2], strtonum(argv[3], 0, 20000, NULL));
    listen_all((unsigned)strtonum(argv[4], 1, UINT16_MAX, NULL),
               (unsigned)strtonum(argv[5], 1, UINT16_MAX, NULL));
    if (puts("ready") == EOF || fflush(stdout) != 0)
        return 1;
    (void)signal(SIGCHLD, SIG_IGN); /* no zombies of monitors that end */
    wait_for_ever();
}
