/* SPDX-License-Identifier: ISC */
#include "leased/http_process.h"

#include "leased/http/http.h"
#include "leased/privileges.h"
#include "leased/site_page.h"
#include "leased/sockets.h"
#include "lib/base/log.h"
#include "lib/base/number.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * leased --http ENGINE SITE FLAGS LISTENER...
 *
 * ENGINE and SITE are the descriptors of the packet socket and of the site page. FLAGS is "-" and
 * perhaps u (unconfined) and D (log to stderr). Each LISTENER is the descriptor of a listening
 * socket and perhaps m (on MetricsListen) or j (the join socket), and r (X-Real-IP) or f
 * (X-Forwarded-For) if it is for a proxy.
 */
struct arguments {
    int engine_fd, site_fd;
    bool unconfined, to_stderr;
    struct http_listener listeners[SOCKETS_MAX];
    size_t listener_count;
};

static bool parse_descriptor(const char *text, size_t len, int *ret)
{
    int64_t fd;
    if (!number_parse(text, len, 0, INT_MAX, &fd))
        return false;
    *ret = (int)fd;
    return true;
}

static bool parse_listener(const char *word, struct http_listener *ret)
{
    const size_t digits = strspn(word, "0123456789");
    const char *flag = word + digits;
    if (*flag == 'm') {
        ret->on_metrics_listen = true;
        flag++;
    } else if (*flag == 'j') {
        ret->on_join_socket = true;
        flag++;
    }
    if (*flag == 'r' || *flag == 'f') {
        ret->proxy = *flag == 'r' ? PROXY_HEADER_REAL_IP : PROXY_HEADER_FORWARDED_FOR;
        flag++;
    }
    return *flag == '\0' && parse_descriptor(word, digits, &ret->fd);
}

/* *ret starts zeroed. False: exec_http passes no such arguments. */
static bool parse_arguments(int argc, char **argv, struct arguments *ret)
{
    if (argc < 6 || argc > 5 + SOCKETS_MAX ||
        !parse_descriptor(argv[2], strlen(argv[2]), &ret->engine_fd) ||
        !parse_descriptor(argv[3], strlen(argv[3]), &ret->site_fd))
        return false;
    ret->to_stderr = strcmp(argv[4], "-D") == 0 || strcmp(argv[4], "-uD") == 0;
    ret->unconfined = strcmp(argv[4], "-u") == 0 || strcmp(argv[4], "-uD") == 0;
    if (!ret->to_stderr && !ret->unconfined && strcmp(argv[4], "-") != 0)
        return false;
    for (int i = 5; i < argc; i++)
        if (!parse_listener(argv[i], &ret->listeners[ret->listener_count++]))
            return false;
    return true;
}

int http_process_main(int argc, char **argv)
{
    enum { EXIT_USAGE = 2 };
    static struct arguments a;
    if (!parse_arguments(argc, argv, &a)) {
        (void)fputs("leased: --http is for leased itself, to start its http process\n", stderr);
        return EXIT_USAGE;
    }
    log_init("leased", a.to_stderr);
    (void)prctl(PR_SET_NAME, "leased-http"); /* it was started as "exe", which says nothing in ps */
    const struct http_options options = {.engine_fd = a.engine_fd,
                                         .listeners = a.listeners,
                                         .listener_count = a.listener_count,
                                         .site = site_page_map(a.site_fd),
                                         .unconfined = a.unconfined};
    if (options.site == NULL || privileges_drop_all() != 0) {
        log_error("http cannot start: %s", strerror(errno));
        return EXIT_FAILURE;
    }
    return http_loop(&options);
}

static void keep_over_exec(int fd)
{
    (void)fcntl(fd, F_SETFD, 0);
}

/* Fills words with the whole environment of http, and a NULL. Nothing else is inherited: engine's
 * environment may hold keys and other secrets. */
enum { HTTP_ENV = 4, HTTP_ENV_BYTES = 1024 };
static void fill_environment(char text[static HTTP_ENV][HTTP_ENV_BYTES],
                             char *words[static HTTP_ENV + 1])
{
    /* Whether stderr is the journal, the log's time zone, and where the loader finds libraries. */
    static const char *const names[HTTP_ENV] = {"JOURNAL_STREAM", "TZ", "LD_LIBRARY_PATH",
                                                "LD_PRELOAD"};
    size_t n = 0;
    for (size_t i = 0; i < HTTP_ENV; i++) {
        const char *value = getenv(names[i]);
        if (value != NULL &&
            snprintf(text[n], HTTP_ENV_BYTES, "%s=%s", names[i], value) < HTTP_ENV_BYTES) {
            words[n] = text[n];
            n++;
        }
    }
    words[n] = NULL;
}

static void exec_http(const struct http_process_options *o, int engine_fd, pid_t engine_pid)
{
    char words[SOCKETS_MAX + 2][16], flags[4];
    char env_text[HTTP_ENV][HTTP_ENV_BYTES], *env[HTTP_ENV + 1];
    char *argv[SOCKETS_MAX + 6] = {(char[]){"leased"}, (char[]){"--http"}, words[0], words[1],
                                   flags};
    size_t n = 5;
    sigset_t none;

    (void)sigemptyset(&none);
    for (int sig = 1; sig < NSIG; sig++)
        (void)signal(sig, SIG_DFL);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != engine_pid)
        return;
    /* log.c reopened stderr so that it does not block. http could not do that as another user, so
     * it gets the reopened one. */
    if (o->to_stderr)
        (void)dup2(log_stderr_fd(), STDERR_FILENO);
    (void)snprintf(flags, sizeof(flags), "-%s%s", o->unconfined ? "u" : "",
                   o->to_stderr ? "D" : "");
    (void)snprintf(words[0], sizeof(words[0]), "%d", engine_fd);
    (void)snprintf(words[1], sizeof(words[1]), "%d", o->site_fd);
    keep_over_exec(engine_fd);
    keep_over_exec(o->site_fd);
    for (size_t i = 0; i < o->sockets->count; i++) {
        const struct http_listener *l = &o->sockets->items[i];
        (void)snprintf(words[i + 2], sizeof(words[0]), "%d%s%s", l->fd,
                       l->on_metrics_listen ? "m"
                       : l->on_join_socket  ? "j"
                                            : "",
                       l->proxy == PROXY_HEADER_REAL_IP         ? "r"
                       : l->proxy == PROXY_HEADER_FORWARDED_FOR ? "f"
                                                                : "");
        keep_over_exec(l->fd);
        argv[n++] = words[i + 2];
    }
    argv[n] = NULL;
    fill_environment(env_text, env);
    (void)execve("/proc/self/exe", argv, env);
}

pid_t http_process_start(const struct http_process_options *o, int *ret_fd)
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
        return -1;
    const int bytes = 1024 * 1024; /* room for all packets of a batch */
    for (int i = 0; i < 2; i++)
        (void)setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    pid_t engine_pid = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        exec_http(o, fds[1], engine_pid);
        _exit(EXIT_FAILURE);
    }
    int saved = errno;
    (void)close(fds[1]);
    if (pid < 0) {
        (void)close(fds[0]);
        errno = saved;
        return -1;
    }
    *ret_fd = fds[0];
    return pid;
}
