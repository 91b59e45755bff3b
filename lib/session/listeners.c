/* SPDX-License-Identifier: ISC */
#include "lib/session/listeners.h"

#include <errno.h>

/* False: no listener comes any more. */
static bool take_line(void *ctx, const char *line)
{
    struct listeners *found = ctx;
    struct tcp_line l;
    if (!tcp_line_parse(line, &l) || l.state != TCP_LISTEN_STATE)
        return false;
    found->ports[l.port / 8] |= (uint8_t)(1U << l.port % 8);
    return true;
}

int listeners_scan_begin(struct listeners_scan *look, pid_t pid)
{
    *look = (struct listeners_scan){.pid = pid};
    return tcp_table_open(&look->table, pid, false);
}

int listeners_scan_next(struct listeners_scan *look)
{
    int more = tcp_table_read(&look->table, take_line, &look->found);
    if (more != 0 || look->is_last)
        return more;
    look->is_last = true;
    if (tcp_table_open(&look->table, look->pid, true) == 0)
        return 1;
    return errno == ENOENT ? 0 : -1; /* a host may do without IPv6, and only without it */
}

void listeners_scan_end(struct listeners_scan *look)
{
    tcp_table_close(&look->table);
}

int listeners_read(struct listeners *ret)
{
    return listeners_read_of(0, ret);
}

int listeners_read_of(pid_t pid, struct listeners *ret)
{
    struct listeners_scan look;
    int more = listeners_scan_begin(&look, pid) == 0 ? 1 : -1;
    while (more == 1)
        more = listeners_scan_next(&look);
    if (more == 0)
        *ret = look.found;
    return more;
}

bool listeners_has(const struct listeners *l, uint16_t port)
{
    return (l->ports[port / 8] & 1U << port % 8) != 0;
}
