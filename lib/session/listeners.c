/* SPDX-License-Identifier: ISC */
#include "lib/session/listeners.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * A line is `sl local_address rem_address st ...`, addresses as HEX:PORT in hex (proc(5)). State 0A
 * is TCP_LISTEN; these come first (the kernel's Documentation/networking/proc_net_tcp.rst). False:
 * no listener comes any more.
 */
static bool take_line(struct listeners_look *look, const char *line)
{
    char *end;
    const char *colon = strchr(line, ':');
    if (colon == NULL) {
        look->has_heading = true;
        return true;
    }
    colon = strchr(colon + 1, ':');
    if (colon == NULL)
        return false;
    unsigned long port = strtoul(colon + 1, &end, 16);
    const char *state = *end == ' ' ? strchr(end + 1, ' ') : NULL;
    if (state == NULL || strncmp(state, " 0A ", 4) != 0)
        return false;
    if (port <= UINT16_MAX)
        look->found.ports[port / 8] |= (uint8_t)(1U << port % 8);
    return true;
}

static int open_table(struct listeners_look *look, const char *name)
{
    char path[48];
    if (look->pid != 0)
        (void)snprintf(path, sizeof(path), "/proc/%d/net/%s", (int)look->pid, name);
    else
        (void)snprintf(path, sizeof(path), "/proc/net/%s", name);
    look->fd = open(path, O_RDONLY | O_CLOEXEC);
    look->has_heading = false;
    look->len = 0;
    return look->fd < 0 ? -1 : 0;
}

int listeners_begin(struct listeners_look *look, pid_t pid)
{
    *look = (struct listeners_look){.pid = pid};
    return open_table(look, "tcp");
}

/* The lines that are whole; false: no listener comes any more. */
static bool take_text(struct listeners_look *look)
{
    char *line = look->text;
    bool more = true;
    for (char *end;
         more && (end = memchr(line, '\n', look->len - (size_t)(line - look->text))) != NULL;
         line = end + 1) {
        *end = '\0';
        more = take_line(look, line);
    }
    look->len -= (size_t)(line - look->text);
    memmove(look->text, line, look->len);
    return more && look->len < sizeof(look->text); /* no line is so long */
}

static int fail(struct listeners_look *look, int why)
{
    listeners_end(look);
    errno = why;
    return -1;
}

int listeners_go_on(struct listeners_look *look)
{
    /* Behind the listeners the kernel looks through a hash table of a hundred thousand slots, for
     * as many connections as there is room for: 4 ms, where a few lines of room cost next to none.
     */
    enum { READ_BYTES = 1024 };
    size_t room = sizeof(look->text) - look->len;
    ssize_t n = read(look->fd, look->text + look->len, room < READ_BYTES ? room : READ_BYTES);
    if (n < 0)
        return fail(look, errno);
    look->len += (size_t)n;
    if (n > 0 && take_text(look))
        return 1;
    if (!look->has_heading) /* there even where nothing listens: this is something else */
        return fail(look, EIO);
    listeners_end(look);
    if (look->is_last)
        return 0;
    look->is_last = true;
    if (open_table(look, "tcp6") == 0)
        return 1;
    return errno == ENOENT ? 0 : -1; /* a host may do without IPv6, and only without it */
}

void listeners_end(struct listeners_look *look)
{
    if (look->fd >= 0)
        (void)close(look->fd);
    look->fd = -1;
}

int listeners_read(struct listeners *ret)
{
    return listeners_read_of(0, ret);
}

int listeners_read_of(pid_t pid, struct listeners *ret)
{
    struct listeners_look look;
    int more = listeners_begin(&look, pid) == 0 ? 1 : -1;
    while (more == 1)
        more = listeners_go_on(&look);
    if (more == 0)
        *ret = look.found;
    return more;
}

bool listeners_has(const struct listeners *l, uint16_t port)
{
    return (l->ports[port / 8] & 1U << port % 8) != 0;
}
