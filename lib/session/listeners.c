/* SPDX-License-Identifier: ISC */
#include "lib/session/listeners.h"

#include <errno.h>

/* False: the listeners are over; they come first in the table. */
static bool add_port(void *ctx, const char *line)
{
    struct listeners *found = ctx;
    struct tcp_line l;
    if (!tcp_line_parse(line, &l) || l.state != TCP_LISTEN_STATE)
        return false;
    listeners_add(found, l.port);
    return true;
}

int listeners_scan_begin(struct listeners_scan *scan, pid_t pid)
{
    *scan = (struct listeners_scan){.pid = pid};
    return tcp_table_open(&scan->table, pid, false);
}

int listeners_scan_next(struct listeners_scan *scan)
{
    int more = tcp_table_read(&scan->table, add_port, &scan->found);
    if (more != 0 || scan->is_last)
        return more;
    scan->is_last = true;
    if (tcp_table_open(&scan->table, scan->pid, true) == 0)
        return 1;
    /* A host may have no IPv6. No other missing table is right. */
    return errno == ENOENT ? 0 : -1;
}

void listeners_scan_end(struct listeners_scan *scan)
{
    tcp_table_close(&scan->table);
}

int listeners_read(struct listeners *ret)
{
    return listeners_read_of(0, ret);
}

int listeners_read_of(pid_t pid, struct listeners *ret)
{
    struct listeners_scan scan;
    int more = listeners_scan_begin(&scan, pid) == 0 ? 1 : -1;
    while (more == 1)
        more = listeners_scan_next(&scan);
    if (more == 0)
        *ret = scan.found;
    return more;
}

void listeners_add(void *listeners, uint16_t port)
{
    struct listeners *l = listeners;
    l->ports[port / 8] |= (uint8_t)(1U << port % 8);
}

bool listeners_has(const struct listeners *l, uint16_t port)
{
    return (l->ports[port / 8] & 1U << port % 8) != 0;
}
