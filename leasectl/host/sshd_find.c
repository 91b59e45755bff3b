/* SPDX-License-Identifier: ISC */
/* Which sshd serves this host, and which version of it. */
#include "leasectl/child.h"
#include "leasectl/host/sshd.h"
#include "lib/base/clock.h"
#include "lib/base/number.h"
#include "lib/conf/conf.h"

#include <arpa/inet.h>
#include <bsd/string.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usual_path[] = "/usr/sbin/sshd";

enum { ASK_MS = 10000, BANNER_MS = 2000, SSH_PORT = 22, SOCKETS_MAX = 16, HOLDERS_MAX = 8 };

/* ---- the program ---- */

static bool program_version(const char *path, struct sshd_version *ret)
{
    const char *const argv[] = {path, "-V", NULL};
    struct child c;
    /* Before 9.2 it does not know -V, and prints the version with its usage. */
    (void)child_run(&c, argv, NULL, NULL, ASK_MS);
    const char *at = c.err_text.len > 0 && buf_text(&c.err_text) != NULL
                         ? strstr(buf_text(&c.err_text), "OpenSSH_")
                         : NULL;
    bool found = at != NULL && sshd_parse_version(at + 8, ret);
    child_release(&c);
    return found;
}

static bool take_program(struct sshd *s, const char *path)
{
    if (path[0] != '/' || strlen(path) >= sizeof(s->path) || access(path, X_OK) != 0 ||
        !program_version(path, &s->program))
        return false;
    (void)strlcpy(s->path, path, sizeof(s->path));
    return true;
}

/* ---- listening sockets ---- */

struct listening {
    uint64_t inode;
    uint16_t port;
    char host[64];
};

struct listenings {
    struct listening items[SOCKETS_MAX];
    size_t count;
};

/* "0100007F:0016", words in host order as the kernel has them in memory; any address: loopback. */
static bool parse_local(const char *text, bool v6, struct listening *l)
{
    uint32_t words[4] = {0};
    unsigned port;
    if (v6 ? sscanf(text, "%8" SCNx32 "%8" SCNx32 "%8" SCNx32 "%8" SCNx32 ":%4x", &words[0],
                    &words[1], &words[2], &words[3], &port) != 5
           : sscanf(text, "%8" SCNx32 ":%4x", &words[0], &port) != 2)
        return false;
    l->port = (uint16_t)port;
    if ((words[0] | words[1] | words[2] | words[3]) == 0)
        return strlcpy(l->host, v6 ? "::1" : "127.0.0.1", sizeof(l->host)) < sizeof(l->host);
    return inet_ntop(v6 ? AF_INET6 : AF_INET, words, l->host, sizeof(l->host)) != NULL;
}

static void read_listenings(const char *path, bool v6, uint16_t port, struct listenings *out)
{
    enum { LISTEN = 10 };
    char line[512], local[48];
    unsigned state;
    FILE *f = fopen(path, "re");
    while (f != NULL && out->count < SOCKETS_MAX && fgets(line, sizeof(line), f) != NULL) {
        struct listening l = {.inode = 0};
        if (sscanf(line, " %*u: %47s %*s %x %*s %*s %*s %*u %*u %" SCNu64, local, &state,
                   &l.inode) != 3)
            continue;
        if (state != LISTEN) /* the kernel shows the listeners first */
            break;
        if (parse_local(local, v6, &l) && l.port == port)
            out->items[out->count++] = l;
    }
    if (f != NULL)
        (void)fclose(f);
}

static void find_listenings(uint16_t port, struct listenings *out)
{
    out->count = 0;
    read_listenings("/proc/net/tcp", false, port, out);
    read_listenings("/proc/net/tcp6", true, port, out);
}

bool sshd_listens_anew(uint16_t port, uint64_t socket)
{
    struct listenings now;
    find_listenings(port, &now);
    for (size_t i = 0; i < now.count; i++)
        if (now.items[i].inode == socket)
            return false;
    return now.count > 0;
}

/* ---- who holds them ---- */

static const struct listening *held_by(const char *pid, const struct listenings *sockets)
{
    char path[64], target[64];
    const struct listening *held = NULL;
    uint64_t inode;
    (void)snprintf(path, sizeof(path), "/proc/%.10s/fd", pid);
    DIR *dir = opendir(path);
    for (const struct dirent *e; held == NULL && dir != NULL && (e = readdir(dir)) != NULL;) {
        ssize_t n = readlinkat(dirfd(dir), e->d_name, target, sizeof(target) - 1);
        if (n <= 0)
            continue;
        target[n] = '\0';
        if (sscanf(target, "socket:[%" SCNu64 "]", &inode) != 1)
            continue;
        for (size_t i = 0; held == NULL && i < sockets->count; i++)
            if (sockets->items[i].inode == inode)
                held = &sockets->items[i];
    }
    if (dir != NULL)
        (void)closedir(dir);
    return held;
}

bool sshd_port_is_systemds(uint16_t port)
{
    struct listenings sockets;
    find_listenings(port, &sockets);
    return access("/run/systemd/system", F_OK) == 0 && held_by("1", &sockets) != NULL;
}

bool sshd_program_of(pid_t pid, char path[static SSHD_PATH_BYTES], bool *ret_replaced)
{
    static const char deleted[] = " (deleted)";
    char link_path[64];
    (void)snprintf(link_path, sizeof(link_path), "/proc/%d/exe", (int)pid);
    ssize_t n = readlink(link_path, path, SSHD_PATH_BYTES - 1);
    if (n <= 0)
        return false;
    path[n] = '\0';
    size_t len = (size_t)n, tail = sizeof(deleted) - 1;
    *ret_replaced = len > tail && strcmp(path + len - tail, deleted) == 0;
    if (*ret_replaced)
        path[len - tail] = '\0';
    return true;
}

/* The service whose group of processes pid is in; "": none. */
static void unit_of(pid_t pid, char unit[static SSHD_UNIT_BYTES])
{
    static const char service[] = ".service";
    char path[64], line[1024];
    unit[0] = '\0';
    (void)snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
    FILE *f = access("/run/systemd/system", F_OK) == 0 ? fopen(path, "re") : NULL;
    while (f != NULL && unit[0] == '\0' && fgets(line, sizeof(line), f) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        const char *name = strrchr(line, '/');
        size_t len = name != NULL ? strlen(++name) : 0, tail = sizeof(service) - 1;
        if (len > tail && len < SSHD_UNIT_BYTES && strcmp(name + len - tail, service) == 0)
            (void)strlcpy(unit, name, SSHD_UNIT_BYTES);
    }
    if (f != NULL)
        (void)fclose(f);
}

/*
 * We are going to run it as root: a process in a container names a path of its own file system,
 * and in ours somebody else may have put a file there.
 */
static bool is_roots_alone(const char *program)
{
    char path[SSHD_PATH_BYTES];
    struct stat st;
    (void)strlcpy(path, program, sizeof(path));
    for (char *slash = path + strlen(path); slash != NULL; slash = strrchr(path, '/')) {
        *slash = '\0';
        if (stat(path[0] != '\0' ? path : "/", &st) != 0 || st.st_uid != 0 ||
            (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
            return false;
    }
    return true;
}

static bool take_listener(struct sshd *s, pid_t pid, const struct listening *l)
{
    char path[SSHD_PATH_BYTES];
    bool replaced;
    if (!sshd_program_of(pid, path, &replaced) || !is_roots_alone(path) || !take_program(s, path))
        return false;
    s->listener = pid;
    s->replaced = replaced;
    s->port = l->port;
    s->socket = l->inode;
    (void)strlcpy(s->host, l->host, sizeof(s->host));
    unit_of(pid, s->unit);
    (void)snprintf(s->how, sizeof(s->how), "which listens on port %u", l->port);
    return true;
}

/* The program, and so the process, that listens on one of these and is an OpenSSH. */
static bool find_listener(struct sshd *s, const struct listenings *sockets, bool *ret_systemd)
{
    bool found = false;
    DIR *dir = sockets->count > 0 ? opendir("/proc") : NULL;
    for (const struct dirent *e; !found && dir != NULL && (e = readdir(dir)) != NULL;) {
        struct stat st;
        int64_t pid;
        /* A session's own listeners are another user's, and none of these. */
        if (!isdigit((unsigned char)e->d_name[0]) ||
            !number_parse(e->d_name, strlen(e->d_name), 1, INT32_MAX, &pid) ||
            fstatat(dirfd(dir), e->d_name, &st, 0) != 0 || st.st_uid != 0)
            continue;
        const struct listening *l = held_by(e->d_name, sockets);
        if (l != NULL && pid == 1)
            *ret_systemd = access("/run/systemd/system", F_OK) == 0;
        if (l != NULL)
            found = take_listener(s, (pid_t)pid, l);
    }
    if (dir != NULL)
        (void)closedir(dir);
    return found;
}

/* ---- a socket of systemd's ---- */

static bool ask_systemd(const char *const argv[], struct buf *out)
{
    struct child c;
    int status = child_run(&c, argv, NULL, NULL, ASK_MS);
    if (status == 0 && c.out_text.len > 0 && buf_text(&c.out_text) != NULL)
        buf_add(out, buf_text(&c.out_text));
    child_release(&c);
    return status == 0 && out->len > 0 && buf_text(out) != NULL;
}

struct socket_unit {
    char id[SSHD_UNIT_BYTES], triggers[SSHD_UNIT_BYTES];
    bool accepts, fits;
};

/* One property of a unit; `Listen=[::]:22 (Stream)`. */
static void take_property(struct socket_unit *u, const char *line, size_t len, uint16_t port)
{
    char text[512], want[24];
    (void)snprintf(text, sizeof(text), "%.*s", (int)len, line);
    (void)snprintf(want, sizeof(want), ":%u (Stream)", port);
    if (strncmp(text, "Id=", 3) == 0)
        (void)strlcpy(u->id, text + 3, sizeof(u->id));
    else if (strncmp(text, "Triggers=", 9) == 0)
        (void)strlcpy(u->triggers, text + 9, sizeof(u->triggers));
    else if (strncmp(text, "Listen=", 7) == 0 && strstr(text, want) != NULL)
        u->fits = true;
    else if (strcmp(text, "Accept=yes") == 0)
        u->accepts = true;
}

/* The service that systemd starts for who comes to port. */
static bool find_triggered(uint16_t port, char unit[static SSHD_UNIT_BYTES])
{
    static const char *const argv[] = {"systemctl", "show", "--property=Id,Triggers,Listen,Accept",
                                       "*.socket", NULL};
    struct buf text = {0};
    struct socket_unit u = {.id = ""};
    bool found = false;
    const char *line = ask_systemd(argv, &text) ? buf_text(&text) : "";
    for (; !found && *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n') {
        size_t len = strcspn(line, "\n");
        take_property(&u, line, len, port);
        /* Units are parted by an empty line. */
        if (len != 0 && line[len] == '\n' && line[len + 1] != '\0' && line[len + 1] != '\n')
            continue;
        char *dot = strrchr(u.id, '.');
        if (u.fits && u.accepts && dot != NULL) { /* one instance of its template a connection */
            *dot = '\0';
            found = snprintf(unit, SSHD_UNIT_BYTES, "%s@.service", u.id) < SSHD_UNIT_BYTES;
        } else if (u.fits && u.triggers[0] != '\0') {
            u.triggers[strcspn(u.triggers, " ")] = '\0';
            found = strlcpy(unit, u.triggers, SSHD_UNIT_BYTES) < SSHD_UNIT_BYTES;
        }
        if (len == 0 || line[len] == '\0' || line[len + 1] == '\n' || line[len + 1] == '\0')
            u = (struct socket_unit){.id = ""};
    }
    buf_release(&text);
    return found;
}

/* `ExecStart={ path=/usr/sbin/sshd ; argv[]=... }` */
static bool take_unit(struct sshd *s, const char *unit, const struct listening *l)
{
    static const char label[] = "{ path=";
    char instance[SSHD_UNIT_BYTES + 8], path[SSHD_PATH_BYTES];
    struct buf text = {0};
    const char *at = strstr(unit, "@.");
    if (at != NULL) /* a template by itself is not shown */
        (void)snprintf(instance, sizeof(instance), "%.*s@0%s", (int)(at - unit), unit, at + 1);
    else
        (void)snprintf(instance, sizeof(instance), "%s", unit);
    const char *const argv[] = {"systemctl", "show", "--property=ExecStart", instance, NULL};
    const char *start = ask_systemd(argv, &text) ? strstr(buf_text(&text), label) : NULL;
    bool found = false;
    if (start != NULL) {
        start += sizeof(label) - 1;
        (void)snprintf(path, sizeof(path), "%.*s", (int)strcspn(start, " ;\n"), start);
        found = take_program(s, path);
    }
    buf_release(&text);
    if (!found)
        return false;
    s->by_systemd = true;
    s->port = l->port;
    (void)strlcpy(s->host, l->host, sizeof(s->host));
    (void)strlcpy(s->unit, unit, sizeof(s->unit));
    (void)snprintf(s->how, sizeof(s->how), "which %.200s starts when somebody comes to port %u",
                   unit, l->port);
    return true;
}

/* ---- all of it ---- */

static bool find_on_port(struct sshd *s, uint16_t port)
{
    struct listenings sockets;
    char unit[SSHD_UNIT_BYTES];
    bool systemd = false;
    find_listenings(port, &sockets);
    if (find_listener(s, &sockets, &systemd)) {
        s->by_systemd = systemd;
        return true;
    }
    return systemd && find_triggered(port, unit) && take_unit(s, unit, &sockets.items[0]);
}

int sshd_find(const struct conf *conf, struct sshd *ret, struct buf *out)
{
    struct sshd s = {.path = ""};
    bool found = false;
    if (geteuid() == 0)
        found = find_on_port(&s, conf->public_port) ||
                (conf->public_port != SSH_PORT && find_on_port(&s, SSH_PORT));
    if (conf->sshd[0] != '\0') {
        if (!take_program(&s, conf->sshd)) {
            buf_addf(out, "Sshd '%s' of the configuration is no sshd of OpenSSH", conf->sshd);
            return -1;
        }
        (void)strlcpy(s.how, "which the configuration names (Sshd)", sizeof(s.how));
    } else if (!found) {
        if (!take_program(&s, usual_path)) {
            buf_addf(out,
                     "no sshd of OpenSSH was found, and '%s' is none: install openssh-server, or "
                     "name it (Sshd)",
                     usual_path);
            return -1;
        }
        (void)strlcpy(s.how, "in the usual place", sizeof(s.how));
    }
    *ret = s;
    return 0;
}

/* ---- what runs ---- */

bool sshd_listener_version(const struct sshd *s, struct sshd_version *ret)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)s->listener);
    return s->listener != 0 && program_version(path, ret);
}

int sshd_connect(const struct sshd *s)
{
    static const char hello[] = "SSH-2.0-leasectl\r\n";
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(s->port)};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(s->port)};
    bool is_v6 = inet_pton(AF_INET6, s->host, &v6.sin6_addr) == 1;
    if (!is_v6 && inet_pton(AF_INET, s->host, &v4.sin_addr) != 1)
        return -1;
    int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, is_v6 ? (const struct sockaddr *)&v6 : (const struct sockaddr *)&v4,
                is_v6 ? sizeof(v6) : sizeof(v4)) == 0 &&
        send(fd, hello, sizeof(hello) - 1, MSG_NOSIGNAL) == (ssize_t)sizeof(hello) - 1)
        return fd;
    (void)close(fd);
    return -1;
}

bool sshd_running_version(const struct sshd *s, struct sshd_version *ret)
{
    char text[512];
    size_t len = 0;
    bool found = false;
    int64_t end_ms = clock_monotonic_ms() + BANNER_MS;
    int fd = sshd_connect(s);
    while (fd >= 0 && !found && len < sizeof(text) - 1) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int64_t left_ms = end_ms - clock_monotonic_ms();
        if (left_ms <= 0 || poll(&p, 1, (int)left_ms) <= 0)
            break;
        ssize_t n = recv(fd, text + len, sizeof(text) - 1 - len, 0);
        if (n <= 0)
            break;
        len += (size_t)n;
        text[len] = '\0';
        const char *at = strstr(text, "SSH-2.0-OpenSSH_");
        if (at != NULL && strchr(at, '\n') != NULL) {
            found = sshd_parse_version(at + 16, ret);
            break;
        }
    }
    if (fd >= 0)
        (void)close(fd);
    return found;
}
