/* SPDX-License-Identifier: ISC */
#include "leasectl/probe/attempt.h"

#include "leasectl/child.h"
#include "lib/base/clock.h"
#include "lib/base/text.h"

#include <arpa/inet.h>
#include <bsd/string.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    ATTEMPT_MS = 8000, /* one attempt in all */
    SILENCE_MS = 2000, /* a service that was reached and says nothing for so long is silent */
    ARGS_MAX = 64,
};

static const char greeting[] = "tunlease-greeting\n";

/* Computed by the far shell, so that an echo of what was typed cannot look like it. */
#define MARK_SCRIPT "echo tun$((40+2))lease"
static const char mark[] = "tun42lease";

enum how {
    HOW_SESSION, /* ssh runs something over there; the mark must come back */
    HOW_SFTP,    /* the sftp subsystem must answer SSH_FXP_INIT */
    HOW_LOCAL,   /* -L to the target; data must come back through it */
    HOW_STDIO,   /* -W to the target; the same */
    HOW_DYNAMIC, /* -D, then SOCKS5 to the target; the same */
    HOW_REVERSE, /* -R; data must come back through the gateway's listener */
    HOW_TUN,     /* -w */
};

/* `words`: what -L, -W, -R lead to, or ssh's options and, after --, the command. */
static const struct {
    struct attempt attempt;
    enum how how;
    const char *words[4];
    const char *input;
} table[] = {
    {{"shell", 'A', false, "a shell"}, HOW_SESSION, {"-T"}, MARK_SCRIPT "\nexit\n"},
    {{"command", 'A', false, "a command"}, HOW_SESSION, {"--", MARK_SCRIPT}, NULL},
    {{"pty", 'A', false, "a terminal"},
     HOW_SESSION,
     {"-tt", "--", "test -t 0 && " MARK_SCRIPT},
     NULL},
    {{"sftp", 'A', false, "file transfer (sftp)"}, HOW_SFTP, {NULL}, NULL},
    {{"open", 'B', true, "the permitted port with -L"}, HOW_LOCAL, {"{open}"}, NULL},
    {{"listen", 'B', true, "the permitted port with -R"}, HOW_REVERSE, {"{listen}"}, NULL},
    {{"other-port", 'C', false, "another port with -L"}, HOW_LOCAL, {"{other}"}, NULL},
    {{"other-spelling", 'C', false, "the permitted port by another name"},
     HOW_LOCAL,
     {"{respelled}"},
     NULL},
    {{"stdio", 'C', false, "another port with -W"}, HOW_STDIO, {"{other}"}, NULL},
    {{"dynamic", 'C', false, "another port through -D"}, HOW_DYNAMIC, {"{other}"}, NULL},
    {{"local-socket", 'C', false, "a unix socket with -L"}, HOW_LOCAL, {"{socket}"}, NULL},
    {{"reverse", 'C', false, "another port with -R"}, HOW_REVERSE, {"127.0.0.1:{free}"}, NULL},
    {{"reverse-any", 'C', false, "any port with -R 0"}, HOW_REVERSE, {"127.0.0.1:0"}, NULL},
    {{"reverse-public", 'C', false, "a port on all addresses with -R"},
     HOW_REVERSE,
     {"0.0.0.0:{free}"},
     NULL},
    {{"reverse-socket", 'C', false, "a unix socket with -R"},
     HOW_REVERSE,
     {"/tmp/tunlease-{free}.sock"},
     NULL},
    {{"agent", 'C', false, "agent forwarding"},
     HOW_SESSION,
     {"-A", "--", "test -S \"$SSH_AUTH_SOCK\" && " MARK_SCRIPT},
     NULL},
    {{"x11", 'C', false, "X11 forwarding"},
     HOW_SESSION,
     {"-Y", "--", "test -n \"$DISPLAY\" && " MARK_SCRIPT},
     NULL},
    {{"tun", 'C', false, "a tun device with -w"}, HOW_TUN, {"any:42"}, NULL},
};

const size_t attempt_count = sizeof(table) / sizeof(table[0]);

const struct attempt *attempt_at(size_t i)
{
    return &table[i].attempt;
}

const char *attempt_verdict_name(enum attempt_verdict v)
{
    switch (v) {
    case ATTEMPT_ALLOWED:
        return "allowed";
    case ATTEMPT_REFUSED:
        return "refused";
    case ATTEMPT_DOWN:
        return "down";
    case ATTEMPT_NO_LOGIN:
        return "no-login";
    case ATTEMPT_UNREACHABLE:
        return "unreachable";
    case ATTEMPT_UNCLEAR:
        break;
    }
    return "unclear";
}

int attempt_find(const char *id)
{
    for (size_t i = 0; i < attempt_count; i++)
        if (strcmp(table[i].attempt.id, id) == 0)
            return (int)i;
    return -1;
}

/* ---- sockets of ours ---- */

static int loopback_socket(uint16_t port, bool listening, uint16_t *ret_port)
{
    struct sockaddr_in sin = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(sin);
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) != 0 || (listening && listen(fd, 16) != 0) ||
        getsockname(fd, (struct sockaddr *)&sin, &len) != 0) {
        (void)close(fd);
        return -1;
    }
    *ret_port = ntohs(sin.sin_port);
    return fd;
}

static int connect_loopback(uint16_t port)
{
    struct sockaddr_in sin = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&sin, sizeof(sin)) != 0) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

uint16_t attempt_free_port(void)
{
    uint16_t port = 0;
    int fd = loopback_socket(0, false, &port);
    if (fd >= 0)
        (void)close(fd);
    return port;
}

static int unix_listener(const char *path)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    if (strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >= sizeof(sun.sun_path))
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)unlink(path);
    if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) != 0 || listen(fd, 16) != 0 ||
        chmod(path, 0666) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static void greet_for_ever(int tcp, int local)
{
    struct pollfd fds[2] = {{.fd = tcp, .events = POLLIN}, {.fd = local, .events = POLLIN}};
    for (;;) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            _exit(1);
        for (int i = 0; i < 2; i++) {
            if ((fds[i].revents & POLLIN) == 0)
                continue;
            int client = accept4(fds[i].fd, NULL, NULL, SOCK_CLOEXEC);
            if (client < 0)
                continue;
            (void)send(client, greeting, sizeof(greeting) - 1, MSG_NOSIGNAL);
            (void)close(client);
        }
    }
}

int greeter_start(struct greeter *g, uint16_t port, const char *path)
{
    uint16_t bound = 0;
    int rc = -1;
    int local = path != NULL ? unix_listener(path) : -1;
    int tcp = loopback_socket(port, true, &bound);

    *g = (struct greeter){.pid = -1};
    if (tcp < 0 || (path != NULL && local < 0))
        goto out;
    pid_t pid = fork();
    if (pid < 0)
        goto out;
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)signal(SIGTERM, SIG_DFL); /* verify has a handler, which would wait for its loop */
        greet_for_ever(tcp, local);
    }
    *g = (struct greeter){.pid = pid, .port = bound};
    rc = 0;
out:
    if (tcp >= 0)
        (void)close(tcp);
    if (local >= 0)
        (void)close(local);
    return rc;
}

void greeter_stop(struct greeter *g)
{
    struct child c = {.pid = g->pid, .in = -1, .out = -1, .err = -1};
    if (g->pid > 0)
        child_release(&c);
    g->pid = -1;
}

/* ---- the words of the table ---- */

/* Puts the target's values in place of {words}. False when a needed one is empty. */
static bool expand(const char *word, const struct attempt_target *t, char out[ATTEMPT_WORD_BYTES])
{
    const struct {
        const char *name;
        const char *value;
    } values[] = {{"{open}", t->open},     {"{respelled}", t->respelled}, {"{other}", t->other},
                  {"{listen}", t->listen}, {"{free}", t->free_port},      {"{socket}", t->socket}};
    size_t used = 0;
    while (*word != '\0' && used + 1 < ATTEMPT_WORD_BYTES) {
        size_t i = 0;
        while (i < sizeof(values) / sizeof(values[0]) &&
               strncmp(word, values[i].name, strlen(values[i].name)) != 0)
            i++;
        if (i == sizeof(values) / sizeof(values[0])) {
            out[used++] = *word++;
            continue;
        }
        if (values[i].value[0] == '\0')
            return false;
        used += strlcpy(out + used, values[i].value, ATTEMPT_WORD_BYTES - used);
        word += strlen(values[i].name);
    }
    out[used < ATTEMPT_WORD_BYTES ? used : ATTEMPT_WORD_BYTES - 1] = '\0';
    return true;
}

struct ssh_args {
    const char *argv[ARGS_MAX];
    size_t count;
    char port[8], identity[ATTEMPT_WORD_BYTES], known_hosts[ATTEMPT_WORD_BYTES + 32];
};

static void add_arg(struct ssh_args *a, const char *arg)
{
    if (a->count + 1 < ARGS_MAX)
        a->argv[a->count++] = arg;
}

static void add_option(struct ssh_args *a, const char *option)
{
    add_arg(a, "-o");
    add_arg(a, option);
}

static void ssh_begin(struct ssh_args *a, const struct attempt_target *t)
{
    *a = (struct ssh_args){.count = 0};
    (void)snprintf(a->port, sizeof(a->port), "%u", t->port);
    (void)snprintf(a->known_hosts, sizeof(a->known_hosts), "UserKnownHostsFile=%s", t->known_hosts);
    add_arg(a, "ssh");
    add_arg(a, "-F");
    add_arg(a, "none");
    add_arg(a, "-p");
    add_arg(a, a->port);
    add_arg(a, "-i");
    add_arg(a, t->key_file);
    add_option(a, "BatchMode=yes");
    add_option(a, "IdentitiesOnly=yes");
    add_option(a, "PreferredAuthentications=publickey");
    add_option(a, "StrictHostKeyChecking=yes");
    add_option(a, "GlobalKnownHostsFile=/dev/null");
    add_option(a, a->known_hosts);
    add_option(a, "ConnectTimeout=5");
    add_option(a, "XAuthLocation=/nonexistent");
    add_option(a, "KexAlgorithms=curve25519-sha256,curve25519-sha256@libssh.org,"
                  "ecdh-sha2-nistp256,diffie-hellman-group14-sha256");
    add_arg(a, "-l");
    add_arg(a, t->login);
}

static const char *const ssh_env[] = {"DISPLAY=127.0.0.1:99", NULL};

/* ---- what ssh says ---- */

static const char *text_of(const struct buf *b)
{
    const char *text = buf_text(b);
    return text != NULL ? text : "";
}

static bool says(const struct child *c, const char *words)
{
    return strstr(text_of(&c->err_text), words) != NULL;
}

/* One line as evidence, without what a terminal would obey. */
static void quote_line(const char *line, char evidence[static ATTEMPT_EVIDENCE_BYTES])
{
    char raw[ATTEMPT_EVIDENCE_BYTES];
    (void)strlcpy(raw, line, sizeof(raw));
    raw[strcspn(raw, "\r\n")] = '\0';
    (void)text_fit(evidence, ATTEMPT_EVIDENCE_BYTES, raw);
}

/* The last line that is not a debug line: why ssh ended. */
static void last_words(const struct child *c, char evidence[static ATTEMPT_EVIDENCE_BYTES])
{
    const char *last = "";
    for (const char *line = text_of(&c->err_text); *line != '\0';) {
        if (strncmp(line, "debug", 5) != 0 && strncmp(line, "OpenSSH_", 8) != 0 && *line != '\r' &&
            *line != '\n' && strncmp(line, "Authenticated to", 16) != 0 &&
            strncmp(line, "Transferred:", 12) != 0 && strncmp(line, "Bytes per second", 16) != 0)
            last = line;
        line += strcspn(line, "\n");
        line += *line == '\n' ? 1 : 0;
    }
    if (*last == '\0')
        (void)snprintf(evidence, ATTEMPT_EVIDENCE_BYTES, "ssh ended with status %d",
                       child_exit_status(c));
    else
        quote_line(last, evidence);
}

/* What ended ssh before anything could be tried, or ATTEMPT_ALLOWED when nothing of that kind. */
static enum attempt_verdict connection_verdict(const struct child *c)
{
    if (says(c, "Permission denied (") || says(c, "Too many authentication failures"))
        return ATTEMPT_NO_LOGIN;
    if (says(c, "ssh: connect to host") || says(c, "ssh: Could not resolve") ||
        says(c, "kex_exchange_identification") || says(c, "Connection timed out"))
        return ATTEMPT_UNREACHABLE;
    if (says(c, "Host key verification failed") ||
        says(c, "No such file or directory\r\nConnection"))
        return ATTEMPT_UNCLEAR;
    return ATTEMPT_ALLOWED;
}

/* What became of a channel to a target. */
static enum attempt_verdict channel_verdict(const struct child *c)
{
    if (says(c, "administratively prohibited"))
        return ATTEMPT_REFUSED;
    if (says(c, "open failed: connect failed"))
        return ATTEMPT_DOWN;
    return ATTEMPT_UNCLEAR;
}

/* The line of ssh's that a verdict rests on. */
static void quote_reason(const struct child *c, const char *words,
                         char evidence[static ATTEMPT_EVIDENCE_BYTES])
{
    const char *all = text_of(&c->err_text);
    const char *hit = strstr(all, words);
    if (hit == NULL) {
        last_words(c, evidence);
        return;
    }
    while (hit > all && hit[-1] != '\n')
        hit--;
    quote_line(hit + (strncmp(hit, "debug1: ", 8) == 0 ? 8 : 0), evidence);
}

/* ---- the ways ---- */

static enum attempt_verdict conclude_channel(const struct child *c,
                                             char evidence[static ATTEMPT_EVIDENCE_BYTES])
{
    enum attempt_verdict v = connection_verdict(c);
    if (v == ATTEMPT_ALLOWED)
        v = channel_verdict(c);
    quote_reason(c, v == ATTEMPT_REFUSED || v == ATTEMPT_DOWN ? "open failed" : "\n\n", evidence);
    return v;
}

/*
 * Reads from a connection that leads to the target until something comes. A service that waits to
 * be spoken to first gets a line of HTTP, which any HTTP server answers and any other survives.
 */
static enum attempt_verdict expect_data(struct child *c, int fd, const char *preamble,
                                        size_t preamble_bytes,
                                        char evidence[static ATTEMPT_EVIDENCE_BYTES])
{
    static const char ask[] = "GET / HTTP/1.0\r\n\r\n";
    char data[512];
    int64_t start_ms = clock_monotonic_ms();
    size_t to_skip = 0;
    bool asked = false;

    if (preamble_bytes > 0) { /* SOCKS5 (RFC 1928): two replies of ssh's own come first */
        (void)send(fd, preamble, preamble_bytes, MSG_NOSIGNAL);
        to_skip = 2 + 10;
        asked = true;
    }
    while (clock_monotonic_ms() - start_ms < SILENCE_MS) {
        struct pollfd pfd = {.fd = fd, .events = POLLIN};
        if (poll(&pfd, 1, 100) > 0) {
            ssize_t n = recv(fd, data, sizeof(data) - 1, 0);
            size_t got = n > 0 ? (size_t)n : 0;
            if (got > to_skip) {
                data[n] = '\0';
                char line[ATTEMPT_EVIDENCE_BYTES];
                quote_line(data + to_skip, line);
                (void)snprintf(evidence, ATTEMPT_EVIDENCE_BYTES, "data came back: %.200s", line);
                return ATTEMPT_ALLOWED;
            }
            to_skip -= got;
            if (n <= 0) { /* closed: ssh says why, perhaps a moment later */
                for (int i = 0; i < 20 && channel_verdict(c) == ATTEMPT_UNCLEAR; i++)
                    if (child_pump(c, 20))
                        break;
                if (channel_verdict(c) != ATTEMPT_UNCLEAR)
                    return conclude_channel(c, evidence);
                (void)strlcpy(evidence, "the service took the connection and closed it",
                              ATTEMPT_EVIDENCE_BYTES);
                return ATTEMPT_ALLOWED;
            }
        }
        (void)child_pump(c, 0);
        if (!asked && clock_monotonic_ms() - start_ms > 300) {
            (void)send(fd, ask, sizeof(ask) - 1, MSG_NOSIGNAL);
            asked = true;
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
        int fd = connect_loopback(port);
        if (fd >= 0)
            return fd;
        if (child_pump(c, 10))
            return -1;
    }
    return -1;
}

static enum attempt_verdict try_local(struct ssh_args *a, const struct attempt_target *t,
                                      const char *to, bool dynamic,
                                      char evidence[static ATTEMPT_EVIDENCE_BYTES])
{
    char spec[ATTEMPT_WORD_BYTES + 32];
    unsigned char socks[3 + 10] = {5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1};
    struct child c;
    enum attempt_verdict v;
    uint16_t port = attempt_free_port();

    if (dynamic) {
        unsigned long target =
            strtoul(strrchr(to, ':') != NULL ? strrchr(to, ':') + 1 : "0", NULL, 10);
        socks[11] = (unsigned char)(target >> 8);
        socks[12] = (unsigned char)target;
        (void)snprintf(spec, sizeof(spec), "127.0.0.1:%u", port);
    } else {
        (void)snprintf(spec, sizeof(spec), "127.0.0.1:%u:%s", port, to);
    }
    add_option(a, "ExitOnForwardFailure=yes");
    add_arg(a, "-N");
    add_arg(a, dynamic ? "-D" : "-L");
    add_arg(a, spec);
    add_arg(a, t->host);
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

static enum attempt_verdict try_stdio(struct ssh_args *a, const struct attempt_target *t,
                                      const char *to, char evidence[static ATTEMPT_EVIDENCE_BYTES])
{
    struct child c;
    enum attempt_verdict v = ATTEMPT_UNCLEAR;
    int64_t end_ms = clock_monotonic_ms() + ATTEMPT_MS;

    add_arg(a, "-W");
    add_arg(a, to);
    add_arg(a, t->host);
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
    const char *allocated = strstr(text_of(&c->err_text), "Allocated port ");
    const char *colon = strrchr(bind, ':');
    if (allocated != NULL)
        return (uint16_t)strtoul(allocated + strlen("Allocated port "), NULL, 10);
    return colon != NULL ? (uint16_t)strtoul(colon + 1, NULL, 10) : 0;
}

static enum attempt_verdict try_reverse(struct ssh_args *a, const struct attempt_target *t,
                                        const char *bind,
                                        char evidence[static ATTEMPT_EVIDENCE_BYTES])
{
    char spec[ATTEMPT_WORD_BYTES + 32];
    struct child c;
    struct greeter home = {.pid = -1};
    enum attempt_verdict v = ATTEMPT_UNCLEAR;
    int64_t end_ms = clock_monotonic_ms() + ATTEMPT_MS;

    if (greeter_start(&home, 0, NULL) != 0) {
        (void)strlcpy(evidence, "no local port to lead the forward to", ATTEMPT_EVIDENCE_BYTES);
        return ATTEMPT_UNCLEAR;
    }
    (void)snprintf(spec, sizeof(spec), "%s:127.0.0.1:%u", bind, home.port);
    add_arg(a, "-v"); /* only debug lines tell success */
    add_arg(a, "-N");
    add_arg(a, "-R");
    add_arg(a, spec);
    add_arg(a, t->host);
    if (child_start(&c, a->argv, ssh_env) != 0)
        goto out;
    while (!says(&c, "remote forward success") && !says(&c, "remote forward failure") &&
           !says(&c, "Allocated port") && clock_monotonic_ms() < end_ms)
        if (child_pump(&c, 50))
            break;
    if (says(&c, "remote forward success") || says(&c, "Allocated port")) {
        uint16_t port = listening_port(&c, bind);
        int fd = port != 0 ? connect_when_up(&c, port) : -1;
        v = ATTEMPT_ALLOWED;
        if (fd >= 0)
            v = expect_data(&c, fd, NULL, 0, evidence);
        else
            quote_reason(&c, port != 0 ? "\n\n" : "remote forward success", evidence);
        if (fd >= 0)
            (void)close(fd);
    } else if (says(&c, "remote forward failure")) {
        v = ATTEMPT_REFUSED;
        quote_reason(&c, "remote forward failure", evidence);
    } else {
        v = connection_verdict(&c) != ATTEMPT_ALLOWED ? connection_verdict(&c) : ATTEMPT_UNCLEAR;
        last_words(&c, evidence);
    }
    child_release(&c);
out:
    greeter_stop(&home);
    return v;
}

static enum attempt_verdict try_session(struct ssh_args *a, const struct attempt_target *t,
                                        const char *const words[4], const char *input,
                                        char evidence[static ATTEMPT_EVIDENCE_BYTES])
{
    char socket_path[ATTEMPT_WORD_BYTES + 16], agent_env[ATTEMPT_WORD_BYTES + 32];
    const char *env[] = {ssh_env[0], NULL, NULL};
    struct child c;
    struct greeter agent = {.pid = -1};
    enum attempt_verdict v;
    size_t i = 0;

    (void)snprintf(socket_path, sizeof(socket_path), "%s/agent.sock", t->work_dir);
    for (; i < 4 && words[i] != NULL && strcmp(words[i], "--") != 0; i++) {
        if (strcmp(words[i], "-A") == 0) {
            /* A socket that is there: else the client would leave -A out, and its refusal mean
             * nothing. (IdentityAgent=none would leave it out too.) */
            (void)greeter_start(&agent, 0, socket_path);
            (void)snprintf(agent_env, sizeof(agent_env), "SSH_AUTH_SOCK=%s", socket_path);
            env[1] = agent_env;
        }
        add_arg(a, words[i]);
    }
    add_arg(a, t->host);
    for (i++; i < 4 && words[i] != NULL; i++)
        add_arg(a, words[i]);
    (void)child_run(&c, a->argv, env, input, ATTEMPT_MS);
    if (strstr(text_of(&c.out_text), mark) != NULL) {
        v = ATTEMPT_ALLOWED;
        (void)strlcpy(evidence, "it ran there", ATTEMPT_EVIDENCE_BYTES);
    } else {
        v = connection_verdict(&c) != ATTEMPT_ALLOWED ? connection_verdict(&c) : ATTEMPT_REFUSED;
        const char *answer = text_of(&c.out_text);
        if (v == ATTEMPT_REFUSED && *answer != '\0')
            quote_line(answer, evidence);
        else
            last_words(&c, evidence);
    }
    child_release(&c);
    greeter_stop(&agent);
    (void)unlink(socket_path);
    return v;
}

static enum attempt_verdict try_sftp(struct ssh_args *a, const struct attempt_target *t,
                                     char evidence[static ATTEMPT_EVIDENCE_BYTES])
{
    /* SSH_FXP_INIT, version 3; the answer is SSH_FXP_VERSION, 2 (draft-ietf-secsh-filexfer-02). */
    static const char init[] = {0, 0, 0, 5, 1, 0, 0, 0, 3};
    struct child c;
    enum attempt_verdict v;
    int64_t end_ms = clock_monotonic_ms() + ATTEMPT_MS;

    add_arg(a, "-s");
    add_arg(a, t->host);
    add_arg(a, "sftp");
    if (child_start(&c, a->argv, ssh_env) != 0)
        return ATTEMPT_UNCLEAR;
    (void)!write(c.in, init, sizeof(init));
    while (c.out_text.len < 5 && !child_pump(&c, 100) && clock_monotonic_ms() < end_ms)
        continue;
    if (c.out_text.len >= 5 && c.out_text.data[0] == 0 && c.out_text.data[4] == 2) {
        v = ATTEMPT_ALLOWED;
        (void)strlcpy(evidence, "the sftp server answered", ATTEMPT_EVIDENCE_BYTES);
    } else {
        v = connection_verdict(&c) != ATTEMPT_ALLOWED ? connection_verdict(&c) : ATTEMPT_REFUSED;
        if (v == ATTEMPT_REFUSED && c.out_text.len > 0)
            quote_line(text_of(&c.out_text), evidence);
        else
            last_words(&c, evidence);
    }
    child_release(&c);
    return v;
}

static enum attempt_verdict try_tun(struct ssh_args *a, const struct attempt_target *t,
                                    const char *unit, char evidence[static ATTEMPT_EVIDENCE_BYTES])
{
    struct child c;
    enum attempt_verdict v = ATTEMPT_UNCLEAR;
    int64_t end_ms = clock_monotonic_ms() + ATTEMPT_MS;

    if (access("/dev/net/tun", R_OK | W_OK) != 0 || geteuid() != 0) {
        (void)strlcpy(evidence, "needs root and /dev/net/tun on this side", ATTEMPT_EVIDENCE_BYTES);
        return ATTEMPT_UNCLEAR;
    }
    add_option(a, "ExitOnForwardFailure=yes");
    add_arg(a, "-vv"); /* only debug lines tell success */
    add_arg(a, "-N");
    add_arg(a, "-w");
    add_arg(a, unit);
    add_arg(a, t->host);
    if (child_start(&c, a->argv, ssh_env) != 0)
        return ATTEMPT_UNCLEAR;
    while (!says(&c, "open confirm") && !says(&c, "open failed") && clock_monotonic_ms() < end_ms)
        if (child_pump(&c, 50))
            break;
    if (says(&c, "Tunnel device open failed") || says(&c, "tunnel device open failed")) {
        (void)strlcpy(evidence, "this side's tun device cannot be opened", ATTEMPT_EVIDENCE_BYTES);
    } else if (says(&c, "administratively prohibited")) {
        v = ATTEMPT_REFUSED;
        quote_reason(&c, "administratively prohibited", evidence);
    } else if (says(&c, "Server has rejected tunnel device forwarding")) {
        v = ATTEMPT_REFUSED;
        quote_reason(&c, "Server has rejected tunnel", evidence);
    } else if (says(&c, "open failed")) { /* permitted, and the device was not to be had */
        v = ATTEMPT_DOWN;
        quote_reason(&c, "open failed", evidence);
    } else if (says(&c, "open confirm")) {
        v = ATTEMPT_ALLOWED;
        (void)strlcpy(evidence, "the gateway opened its tun device", ATTEMPT_EVIDENCE_BYTES);
    } else {
        v = connection_verdict(&c) != ATTEMPT_ALLOWED ? connection_verdict(&c) : ATTEMPT_UNCLEAR;
        last_words(&c, evidence);
    }
    child_release(&c);
    return v;
}

enum attempt_verdict attempt_make(size_t i, const struct attempt_target *target,
                                  char evidence[static ATTEMPT_EVIDENCE_BYTES])
{
    struct ssh_args args;
    char word[ATTEMPT_WORD_BYTES] = "";

    evidence[0] = '\0';
    if (table[i].words[0] != NULL && !expand(table[i].words[0], target, word)) {
        (void)snprintf(evidence, ATTEMPT_EVIDENCE_BYTES, "there is no %s to try",
                       table[i].words[0]);
        return ATTEMPT_UNCLEAR;
    }
    ssh_begin(&args, target);
    switch (table[i].how) {
    case HOW_SESSION:
        return try_session(&args, target, table[i].words, table[i].input, evidence);
    case HOW_SFTP:
        return try_sftp(&args, target, evidence);
    case HOW_LOCAL: {
        enum attempt_verdict v = try_local(&args, target, word, false, evidence);
        /* For a unix socket sshd has one answer, whether it may not or cannot connect
         * (serverloop.c, server_request_direct_streamlocal). Ours can be connected to. */
        return v == ATTEMPT_DOWN && word[0] == '/' ? ATTEMPT_REFUSED : v;
    }
    case HOW_STDIO:
        return try_stdio(&args, target, word, evidence);
    case HOW_DYNAMIC:
        return try_local(&args, target, word, true, evidence);
    case HOW_REVERSE:
        return try_reverse(&args, target, word, evidence);
    case HOW_TUN:
        return try_tun(&args, target, word, evidence);
    }
    return ATTEMPT_UNCLEAR;
}
