/* SPDX-License-Identifier: ISC */
#include "leasectl/host/sshd_zone.h"

#include "leasectl/host/sshd_connect.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/session/process.h"

#include <bsd/string.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ZONE_TRIES = 20, ZONE_TRY_MS = 1000, ENVIRON_BYTES = 65536, CHILDREN_BYTES = 65536 };

/* True when text is a row of NAME=VALUE strings, each ended by NUL. The rest of an environment that
 * a title was written over is not. */
static bool is_environment(const char *text, size_t len)
{
    if (len == 0 || text[len - 1] != '\0')
        return false;
    for (const char *at = text; at < text + len; at += strlen(at) + 1) {
        const char *equals = strchr(at, '=');
        if (equals == NULL || equals == at)
            return false;
    }
    return true;
}

static size_t read_whole(const char *path, char *out, size_t out_bytes)
{
    size_t len = 0;
    ssize_t n;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    while (len < out_bytes - 1 && (n = read(fd, out + len, out_bytes - 1 - len)) > 0)
        len += (size_t)n;
    (void)close(fd);
    out[len] = '\0';
    return len;
}

struct zone_search {
    pid_t parent;
    const char *program;
    char before[CHILDREN_BYTES], now[CHILDREN_BYTES], environment[ENVIRON_BYTES];
};

/* The next pid in *at; 0 at the end. */
static pid_t next_pid(const char **at)
{
    char *end;
    long pid = strtol(*at, &end, 10);
    *at = end;
    return (pid_t)pid;
}

static void add_children(pid_t parent, char *out, size_t out_bytes)
{
    char path[64];
    size_t len = strlen(out);
    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)parent, (int)parent);
    if (len + 1 < out_bytes)
        (void)read_whole(path, out + len, out_bytes - len);
}

static bool runs_program(const struct zone_search *search, pid_t pid)
{
    char path[SSHD_PATH_BYTES];
    bool replaced;
    return sshd_program_of(pid, path, &replaced) && strcmp(path, search->program) == 0;
}

/* Any user can run the program with a TZ of their own and leave it behind as a child of systemd. */
static bool runs_as_root(pid_t pid)
{
    struct process p;
    return process_read(pid, &p) == SIGHT_IS && p.uid == 0;
}

/*
 * Reads the pids among which sshd's process for a connection must be: the children of the listener.
 * Where a socket unit starts sshd, systemd has as its child either one for each connection or one
 * for all of them; so the children of every sshd among systemd's children count, too.
 */
static void read_children(const struct zone_search *search, char out[static CHILDREN_BYTES])
{
    out[0] = ' ';
    out[1] = '\0';
    add_children(search->parent, out, CHILDREN_BYTES);
    if (search->parent != 1)
        return;
    char *end = out + strlen(out);
    pid_t pid;
    for (const char *at = out; at < end && (pid = next_pid(&at)) != 0;)
        if (runs_program(search, pid))
            add_children(pid, out, CHILDREN_BYTES);
}

/* Reads the environment of one of them that was not there before. Returns its length, or 0. */
static size_t read_new_environment(struct zone_search *search)
{
    char path[64], word[16];
    pid_t pid;
    read_children(search, search->now);
    for (const char *at = search->now; (pid = next_pid(&at)) != 0;) {
        (void)snprintf(word, sizeof(word), " %d ", (int)pid);
        if (strstr(search->before, word) != NULL)
            continue;
        (void)snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
        size_t got = read_whole(path, search->environment, ENVIRON_BYTES);
        if (is_environment(search->environment, got) && runs_program(search, pid) &&
            runs_as_root(pid))
            return got;
    }
    return 0;
}

static size_t query_environment(const struct sshd *s, struct zone_search *search)
{
    size_t len = 0;
    for (int i = 0; i < ZONE_TRIES && len == 0; i++) {
        read_children(search, search->before);
        int64_t end_ms = clock_monotonic_ms() + ZONE_TRY_MS;
        int fd = sshd_connect(s);
        if (fd < 0)
            return 0;
        struct pollfd p = {.fd = fd, .events = POLLIN};
        /* sshd sends its banner after it has set its title: then it is too late. */
        while ((len = read_new_environment(search)) == 0 && clock_monotonic_ms() < end_ms &&
               poll(&p, 1, 0) == 0)
            continue;
        (void)close(fd);
    }
    return len;
}

static void read_localtime(char out[static SSHD_ZONE_BYTES])
{
    static const char folder[] = "/zoneinfo/";
    char target[SSHD_ZONE_BYTES];
    struct stat st;
    ssize_t n = readlink("/etc/localtime", target, sizeof(target) - 1);
    if (n > 0) {
        target[n] = '\0';
        const char *name = strstr(target, folder);
        (void)strlcpy(out, name != NULL ? name + sizeof(folder) - 1 : target, SSHD_ZONE_BYTES);
    } else if (stat("/etc/localtime", &st) == 0) {
        (void)snprintf(out, SSHD_ZONE_BYTES, "a file of %lld", (long long)st.st_mtim.tv_sec);
    } else {
        (void)strlcpy(out, "not there", SSHD_ZONE_BYTES);
    }
}

int sshd_query_zone(const struct sshd *s, struct sshd_zone *ret, struct buf *out)
{
    struct sshd_zone zone = {.tz = ""};
    struct zone_search *search = NULL;
    int rc = -1;
    read_localtime(zone.localtime);
    if (s->listener == 0 && !s->by_systemd) {
        *ret = zone;
        return 0;
    }
    search = calloc(1, sizeof(*search));
    if (search == NULL) {
        buf_add(out, "out of memory");
        return -1;
    }
    search->parent = s->listener != 0 ? s->listener : 1;
    search->program = s->path;
    size_t len = query_environment(s, search);
    for (const char *at = search->environment; at < search->environment + len; at += strlen(at) + 1)
        if (strncmp(at, "TZ=", 3) == 0) {
            zone.is_set = true;
            if (strlcpy(zone.tz, at + 3, sizeof(zone.tz)) >= sizeof(zone.tz))
                len = 0;
        }
    if (len == 0) {
        buf_addf(out,
                 "cannot tell the time zone of the sshd on port %u: its environment could not "
                 "be read",
                 s->port);
    } else if (strspn(zone.tz, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                               "_+-/:.,<>") != strlen(zone.tz)) {
        buf_addf(out,
                 "the time zone of the sshd on port %u cannot be handed to akc: its TZ is '%s'",
                 s->port, zone.tz);
    } else {
        *ret = zone;
        rc = 0;
    }
    free(search);
    return rc;
}

void sshd_zone_format(const struct sshd_zone *zone, struct buf *out)
{
    if (zone->is_set)
        buf_addf(out, "TZ=%s", zone->tz);
    else
        buf_addf(out, "no TZ, /etc/localtime is %s", zone->localtime);
}
