/* SPDX-License-Identifier: ISC */
#include "leasectl/host/sshd.h"

#include "leasectl/child.h"
#include "leasectl/host/listening.h"
#include "lib/base/buf.h"
#include "lib/base/number.h"
#include "lib/conf/conf.h"

#include <bsd/string.h>
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { QUERY_MS = 10000, SSH_PORT = 22 };

static const char usual_path[] = "/usr/sbin/sshd";

static bool query_version(const char *path, struct sshd_version *ret)
{
    const char *const argv[] = {path, "-V", NULL};
    struct child c;
    /* sshd before 9.2 does not know -V, but prints its version with the usage message. */
    (void)child_run(&c, argv, NULL, NULL, QUERY_MS);
    const char *at = c.err_text.len > 0 && buf_text(&c.err_text) != NULL
                         ? strstr(buf_text(&c.err_text), "OpenSSH_")
                         : NULL;
    bool found = at != NULL && sshd_parse_version(at + 8, ret);
    child_release(&c);
    return found;
}

static bool adopt_program(struct sshd *s, const char *path)
{
    if (path[0] != '/' || strlen(path) >= sizeof(s->path) || access(path, X_OK) != 0 ||
        !query_version(path, &s->program_version))
        return false;
    (void)strlcpy(s->path, path, sizeof(s->path));
    return true;
}

bool sshd_program_of(pid_t pid, char path[static SSHD_PATH_BYTES], bool *ret_replaced)
{
    static const char deleted[] = " (deleted)";
    char link_path[64];
    (void)snprintf(link_path, sizeof(link_path), "/proc/%d/exe", (int)pid);
    ssize_t n = readlink(link_path, path, SSHD_PATH_BYTES - 1);
    if (n <= 0 || n == SSHD_PATH_BYTES - 1) /* a path that fills it may have been cut */
        return false;
    path[n] = '\0';
    size_t len = (size_t)n, tail = sizeof(deleted) - 1;
    *ret_replaced = len > tail && strcmp(path + len - tail, deleted) == 0;
    if (*ret_replaced)
        path[len - tail] = '\0';
    return true;
}

/*
 * The program will be run as root. A process in a container names a path of its own file system,
 * and in ours anybody may have put a file there.
 */
static bool only_root_can_write(const char *program)
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

/* From its title, `sshd: /usr/sbin/sshd -D -f FILE [listener] 0 of 10-100 startups`. */
static void read_config_file(pid_t pid, char ret[static SSHD_PATH_BYTES])
{
    char path[64], title[2 * SSHD_PATH_BYTES];
    (void)snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return;
    size_t len = fread(title, 1, sizeof(title) - 1, f);
    (void)fclose(f);
    title[len] = '\0';
    for (size_t i = 0; i < len; i++) /* where the title is not set, each argument ends with a NUL */
        if (title[i] == '\0')
            title[i] = ' ';
    const char *option = strstr(title, " -f ");
    const char *file = option != NULL ? option + 4 : "";
    size_t file_bytes = strcspn(file, " ");
    if (file[0] != '/' || file_bytes >= SSHD_PATH_BYTES)
        return;
    (void)snprintf(ret, SSHD_PATH_BYTES, "%.*s", (int)file_bytes, file);
    if (access(ret, R_OK) != 0) /* a container's */
        ret[0] = '\0';
}

static bool adopt_listener(struct sshd *s, pid_t pid, const struct listening_socket *l)
{
    char path[SSHD_PATH_BYTES];
    bool replaced;
    if (!sshd_program_of(pid, path, &replaced) || !only_root_can_write(path) ||
        !adopt_program(s, path))
        return false;
    s->listener = pid;
    s->replaced = replaced;
    s->port = l->port;
    s->socket = l->inode;
    (void)strlcpy(s->host, l->host, sizeof(s->host));
    read_config_file(pid, s->config_file);
    systemd_unit_of(pid, s->unit);
    (void)snprintf(s->how, sizeof(s->how), "which listens on port %u", l->port);
    return true;
}

/* False for an sshd of a container, or of the host that an image is made on, seen from its root: it
 * reads other files than ours. */
static bool has_our_root(const char *pid)
{
    char path[64];
    struct stat ours, its;
    (void)snprintf(path, sizeof(path), "/proc/%s/root", pid);
    return stat("/", &ours) == 0 && stat(path, &its) == 0 && its.st_dev == ours.st_dev &&
           its.st_ino == ours.st_ino;
}

/* Finds the process that has one of sockets open and whose program is an OpenSSH. *ret_systemd:
 * systemd has one of them open. */
static bool find_listener(struct sshd *s, const struct listening_sockets *sockets,
                          bool *ret_systemd)
{
    bool found = false;
    DIR *dir = sockets->count > 0 ? opendir("/proc") : NULL;
    for (const struct dirent *e; !found && dir != NULL && (e = readdir(dir)) != NULL;) {
        struct stat st;
        int64_t pid;
        /* Only root's: what listens for a session's -R runs as the login. */
        if (!isdigit((unsigned char)e->d_name[0]) ||
            !number_parse(e->d_name, strlen(e->d_name), 1, INT32_MAX, &pid) ||
            fstatat(dirfd(dir), e->d_name, &st, 0) != 0 || st.st_uid != 0)
            continue;
        const struct listening_socket *l = listening_socket_of_process(e->d_name, sockets);
        if (l != NULL && pid == 1)
            *ret_systemd = access("/run/systemd/system", F_OK) == 0;
        if (l != NULL && has_our_root(e->d_name))
            found = adopt_listener(s, (pid_t)pid, l);
    }
    if (dir != NULL)
        (void)closedir(dir);
    return found;
}

static bool adopt_unit(struct sshd *s, const char *unit, const struct listening_socket *l)
{
    char path[SSHD_PATH_BYTES];
    if (!systemd_unit_program(unit, path, sizeof(path)) || !only_root_can_write(path) ||
        !adopt_program(s, path))
        return false;
    s->by_systemd = true;
    s->port = l->port;
    (void)strlcpy(s->host, l->host, sizeof(s->host));
    (void)strlcpy(s->unit, unit, sizeof(s->unit));
    (void)snprintf(s->how, sizeof(s->how), "which %.200s starts for connections to port %u", unit,
                   l->port);
    return true;
}

static bool find_on_port(struct sshd *s, uint16_t port)
{
    struct listening_sockets sockets;
    char unit[SYSTEMD_UNIT_BYTES];
    bool systemd = false;
    listening_sockets_on_port(port, &sockets);
    if (find_listener(s, &sockets, &systemd)) {
        s->by_systemd = systemd;
        return true;
    }
    return systemd && systemd_unit_for_port(port, unit) && adopt_unit(s, unit, &sockets.items[0]);
}

static bool find_on_ports(struct sshd *s, const uint16_t ports[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool was_tried = false;
        for (size_t k = 0; k < i; k++)
            was_tried = was_tried || ports[k] == ports[i];
        if (!was_tried && find_on_port(s, ports[i]))
            return true;
    }
    return false;
}

int sshd_find(const struct conf *conf, struct sshd *ret, struct buf *out)
{
    return sshd_find_on_port(conf, conf->public_port, ret, out);
}

int sshd_find_on_port(const struct conf *conf, uint16_t port, struct sshd *ret, struct buf *out)
{
    const uint16_t ports[] = {port, conf->public_port, SSH_PORT};
    struct sshd s = {.path = ""};
    bool found = false;
    if (geteuid() == 0)
        found = find_on_ports(&s, ports, sizeof(ports) / sizeof(ports[0]));
    if (conf->sshd[0] != '\0') {
        if (!adopt_program(&s, conf->sshd)) {
            buf_addf(out, "Sshd '%s' of the configuration is no sshd of OpenSSH", conf->sshd);
            return -1;
        }
        (void)strlcpy(s.how, "which the configuration names (Sshd)", sizeof(s.how));
    } else if (!found) {
        if (!adopt_program(&s, usual_path)) {
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

bool sshd_listener_version(const struct sshd *s, struct sshd_version *ret)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)s->listener);
    return s->listener != 0 && query_version(path, ret);
}

void sshd_tool(const struct sshd *s, const char *name, char out[static SSHD_PATH_BYTES])
{
    static const char sbin[] = "/sbin/sshd";
    size_t len = strlen(s->path), tail = sizeof(sbin) - 1;
    if (len > tail && strcmp(s->path + len - tail, sbin) == 0 &&
        snprintf(out, SSHD_PATH_BYTES, "%.*s/bin/%s", (int)(len - tail), s->path, name) <
            SSHD_PATH_BYTES &&
        access(out, X_OK) == 0)
        return;
    (void)strlcpy(out, name, SSHD_PATH_BYTES);
}
