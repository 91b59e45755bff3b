/* SPDX-License-Identifier: ISC */
#include "leasectl/host/kernel_ports.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 65536 };

/* Reads the first line of a file of sysctl(8). 0, or -1 with errno. */
static int read_line(const char *name, char line[static LINE_BYTES])
{
    char path[128];
    (void)snprintf(path, sizeof(path), "/proc/sys/net/ipv4/%s", name);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return -1;
    if (fgets(line, LINE_BYTES, f) == NULL)
        line[0] = '\0';
    (void)fclose(f);
    line[strcspn(line, "\n")] = '\0';
    return 0;
}

/* `20000-20009,20012`, or nothing. */
static void parse_list(const char *line, struct port_set *ret)
{
    char *end;
    for (unsigned long low = strtoul(line, &end, 10); end != line; low = strtoul(line, &end, 10)) {
        unsigned long high = *end == '-' ? strtoul(end + 1, &end, 10) : low;
        if (low <= high && high <= UINT16_MAX)
            port_set_add(ret, (uint16_t)low, (uint16_t)high);
        line = *end == ',' ? end + 1 : end;
    }
}

int kernel_ports_read(struct kernel_ports *ret)
{
    struct kernel_ports k = {.first_unprivileged = 1024};
    char *line = malloc(LINE_BYTES);
    int rc = -1;
    if (line == NULL || read_line("ip_local_port_range", line) != 0)
        goto out;
    if (sscanf(line, "%hu %hu", &k.local_low, &k.local_high) != 2) {
        errno = EINVAL;
        goto out;
    }
    if (read_line("ip_local_reserved_ports", line) != 0)
        goto out;
    parse_list(line, &k.reserved);
    if (read_line("ip_unprivileged_port_start", line) != 0)
        goto out;
    k.first_unprivileged = (unsigned)strtoul(line, NULL, 10);
    *ret = k;
    rc = 0;
out:
    free(line);
    return rc;
}
