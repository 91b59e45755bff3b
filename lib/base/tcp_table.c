/* SPDX-License-Identifier: ISC */
#include "lib/base/tcp_table.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A line is `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode ...`; sl ends
 * with a colon. */
bool tcp_line_parse(const char *line, struct tcp_line *ret)
{
    char *end;
    const char *colon = strchr(line, ':');
    if (colon == NULL)
        return false;
    const char *local = colon + 1 + strspn(colon + 1, " ");
    colon = strchr(local, ':');
    if (colon == NULL)
        return false;
    unsigned long port = strtoul(colon + 1, &end, 16);
    const char *remote = *end == ' ' ? end + 1 : NULL;
    const char *state_at = remote != NULL ? strchr(remote, ' ') : NULL;
    if (state_at == NULL || port > UINT16_MAX)
        return false;
    unsigned long state = strtoul(state_at, &end, 16);
    if (end == state_at || *end != ' ')
        return false;
    *ret = (struct tcp_line){.local = local,
                             .remote = remote,
                             .port = (uint16_t)port,
                             .state = (unsigned)state,
                             .rest = end};
    return true;
}

/* As in "0100007F:4E21": the kernel prints each 32-bit word of the address as it is in memory. */
bool tcp_end_parse(const char *end, bool v6, uint32_t ret_address[static 4], uint16_t *ret_port)
{
    uint32_t words[4] = {0};
    unsigned port;
    if (v6 ? sscanf(end, "%8" SCNx32 "%8" SCNx32 "%8" SCNx32 "%8" SCNx32 ":%4x", &words[0],
                    &words[1], &words[2], &words[3], &port) != 5
           : sscanf(end, "%8" SCNx32 ":%4x", &words[0], &port) != 2)
        return false;
    memcpy(ret_address, words, sizeof(words));
    *ret_port = (uint16_t)port;
    return true;
}

uint64_t tcp_line_inode(const struct tcp_line *line)
{
    uint64_t inode;
    return sscanf(line->rest, " %*s %*s %*s %*u %*u %" SCNu64, &inode) == 1 ? inode : 0;
}

bool tcp_line_owner(const struct tcp_line *line, uid_t *ret_uid, uint64_t *ret_inode)
{
    unsigned uid;
    uint64_t inode;
    if (sscanf(line->rest, " %*s %*s %*s %u %*u %" SCNu64, &uid, &inode) != 2)
        return false;
    *ret_uid = uid;
    *ret_inode = inode;
    return true;
}

int tcp_table_open(struct tcp_table *t, pid_t pid, bool v6)
{
    char path[48];
    const char *name = v6 ? "tcp6" : "tcp";
    if (pid != 0)
        (void)snprintf(path, sizeof(path), "/proc/%d/net/%s", (int)pid, name);
    else
        (void)snprintf(path, sizeof(path), "/proc/net/%s", name);
    t->fd = open(path, O_RDONLY | O_CLOEXEC);
    t->has_heading = false;
    t->len = 0;
    return t->fd < 0 ? -1 : 0;
}

/* Passes each complete line in t->text to fn. False: fn wants no more lines. */
static bool parse_lines(struct tcp_table *t, tcp_line_fn fn, void *ctx)
{
    char *line = t->text;
    bool more = true;
    for (char *end; more && (end = memchr(line, '\n', t->len - (size_t)(line - t->text))) != NULL;
         line = end + 1) {
        *end = '\0';
        if (strchr(line, ':') != NULL)
            more = fn(ctx, line);
        else
            t->has_heading = true;
    }
    t->len -= (size_t)(line - t->text);
    memmove(t->text, line, t->len);
    return more && t->len < sizeof(t->text); /* no line of the table fills it */
}

static int fail(struct tcp_table *t, int why)
{
    tcp_table_close(t);
    errno = why;
    return -1;
}

int tcp_table_read(struct tcp_table *t, tcp_line_fn fn, void *ctx)
{
    /* Read little at a time. After the listeners, the kernel fills the buffer with connections and
     * searches a hash table of a hundred thousand slots for them: 4 ms for a large buffer, next to
     * nothing for a few lines. Often the caller wants only the listeners. */
    enum { READ_BYTES = 1024 };
    size_t room = sizeof(t->text) - t->len;
    ssize_t n = read(t->fd, t->text + t->len, room < READ_BYTES ? room : READ_BYTES);
    if (n < 0)
        return fail(t, errno);
    t->len += (size_t)n;
    if (n > 0 && parse_lines(t, fn, ctx))
        return 1;
    if (!t->has_heading) /* even an empty table has it: this is another file */
        return fail(t, EIO);
    tcp_table_close(t);
    return 0;
}

void tcp_table_close(struct tcp_table *t)
{
    if (t->fd >= 0)
        (void)close(t->fd);
    t->fd = -1;
}
