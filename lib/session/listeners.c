/* SPDX-License-Identifier: ISC */
#include "lib/session/listeners.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READ_BYTES = 1024 };

/*
 * A line is `sl local_address rem_address st ...`, addresses as HEX:PORT in hex (proc(5)). State 0A
 * is TCP_LISTEN. False: it is of something that does not listen.
 */
static bool take_line(char *line, struct listeners *l)
{
    char *rest = line;
    char *field[4];
    for (size_t i = 0; i < 4; i++) {
        rest += strspn(rest, " ");
        field[i] = strsep(&rest, " ");
        if (field[i] == NULL || rest == NULL)
            return true;
    }
    char *colon = strchr(field[1], ':');
    if (colon == NULL)
        return true;
    if (strcmp(field[3], "0A") != 0)
        return false;
    unsigned long port = strtoul(colon + 1, NULL, 16);
    if (port <= UINT16_MAX)
        l->ports[port / 8] |= (uint8_t)(1U << port % 8);
    return true;
}

/*
 * The kernel lists what listens first (its Documentation/networking/proc_net_tcp.rst), and to find
 * the next connection it walks a table of a hundred thousand slots. So the first connection is the
 * end, and no more is asked for at a time than some lines: 4 ms else, even with few connections.
 */
static int read_table(const char *path, struct listeners *l)
{
    char line[512], block[READ_BYTES];
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return -1;
    (void)setvbuf(f, block, _IOFBF, sizeof(block));
    /* The names of the columns are there even where nothing listens; without, it is something else.
     */
    bool is_table = fgets(line, sizeof(line), f) != NULL, listens = true;
    while (listens && fgets(line, sizeof(line), f) != NULL)
        listens = take_line(line, l);
    (void)fclose(f);
    if (!is_table)
        errno = EIO;
    return is_table ? 0 : -1;
}

int listeners_read(struct listeners *ret)
{
    return listeners_read_of(0, ret);
}

int listeners_read_of(pid_t pid, struct listeners *ret)
{
    char path4[48] = "/proc/net/tcp", path6[48] = "/proc/net/tcp6";
    struct listeners l = {{0}};
    if (pid != 0) {
        (void)snprintf(path4, sizeof(path4), "/proc/%d/net/tcp", (int)pid);
        (void)snprintf(path6, sizeof(path6), "/proc/%d/net/tcp6", (int)pid);
    }
    /* A host may do without IPv6, and only without it. */
    if (read_table(path4, &l) != 0 || (read_table(path6, &l) != 0 && errno != ENOENT))
        return -1;
    *ret = l;
    return 0;
}

bool listeners_has(const struct listeners *l, uint16_t port)
{
    return (l->ports[port / 8] & 1U << port % 8) != 0;
}
