/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/status.h"

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/table.h"
#include "tunnel-agent/host/exchange.h"
#include "tunnel-agent/host/exit_code.h"
#include "tunnel-agent/host/statedir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

enum { ANSWER_MS = 2000, REPORT_MAX = 1024 * 1024, COLUMNS = 7 };

/* 0 and its report in out; -1: it does not answer; -2: no agent listens there. */
static int query_agent(const char *path, bool json, struct buf *out)
{
    struct sockaddr_un address;
    char chunk[8192];
    int rc = -1;
    int64_t end_ms = clock_monotonic_ms() + ANSWER_MS;
    int fd = exchange_unix_address(path, &address) == 0 ? socket(AF_UNIX, SOCK_STREAM, 0) : -1;
    if (fd < 0)
        return -1;
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        rc = errno == ECONNREFUSED || errno == ENOENT ? -2 : -1;
        goto out;
    }
    if (send(fd, json ? "j" : "t", 1, MSG_NOSIGNAL) != 1)
        goto out;
    while (out->len < REPORT_MAX) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int64_t left_ms = end_ms - clock_monotonic_ms();
        if (left_ms <= 0 || poll(&p, 1, (int)left_ms) <= 0)
            goto out;
        ssize_t n = recv(fd, chunk, sizeof(chunk), 0);
        if (n == 0)
            break;
        if (n > 0)
            buf_add_mem(out, chunk, (size_t)n);
        else if (errno != EAGAIN && errno != EINTR)
            goto out;
    }
    rc = 0;
out:
    (void)close(fd);
    return rc;
}

/* text: a line for each tunnel, its cells separated by tabs. It is changed. 0 or -1: no memory. */
static int print_table(char *text)
{
    static const char *const headings[COLUMNS + 1] = {"NAME",  "STATE",   "SINCE", "RESTARTS",
                                                      "PROBE", "SERVICE", "NOTE",  NULL};
    struct table table;
    table_init(&table, headings);
    for (char *line; (line = strsep(&text, "\n")) != NULL && *line != '\0';)
        for (size_t c = 0; c < COLUMNS; c++)
            table_add(&table, line != NULL ? strsep(&line, "\t") : "");
    int rc = table_print(&table, true);
    table_release(&table);
    return rc;
}

/* True if the report has tunnels and each is up. */
static bool all_up(const char *text, bool json)
{
    const char *needle = json ? "\"state\":\"" : "\t", *p = text;
    size_t count = 0;
    while ((p = strstr(p, needle)) != NULL) {
        p += strlen(needle);
        if (strncmp(p, json ? "up\"" : "up\t", 3) != 0)
            return false;
        count++;
        if (!json && (p = strchr(p, '\n')) == NULL)
            break;
    }
    return count > 0;
}

int status_show(const struct statedir *state, bool json)
{
    struct buf all = {0}, one = {0};
    bool silent = false, failed = false;
    char path[STATEDIR_PATH_BYTES + 300];
    DIR *dir = opendir(state->run);
    for (const struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
        const char *dot = strrchr(e->d_name, '.');
        if (dot == NULL || strcmp(dot, ".status") != 0)
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", state->run, e->d_name);
        buf_clear(&one);
        int rc = query_agent(path, json, &one);
        if (rc == -1) {
            (void)fprintf(stderr, "tunnel-agent: the agent of pid %.*s does not answer\n",
                          (int)(dot - e->d_name), e->d_name);
            silent = true;
        }
        if (rc != 0 || one.len == 0)
            continue;
        if (json && all.len > 0)
            buf_add(&all, ",\n");
        buf_add_mem(&all, one.data, one.len);
    }
    if (dir != NULL)
        (void)closedir(dir);
    const char *text = buf_text(&all);
    bool good = text != NULL && !silent && all_up(text, json);
    if (json)
        (void)printf("[%s]\n", text != NULL ? text : "");
    else if (text != NULL && text[0] != '\0' && isatty(STDOUT_FILENO) == 1)
        failed = print_table(all.data) != 0;
    else
        (void)fputs(text != NULL ? text : "", stdout);
    if (failed)
        (void)fputs("tunnel-agent: out of memory\n", stderr);
    if (all.len == 0 && !silent && !json)
        (void)fprintf(stderr, "tunnel-agent: no agent runs with the state directory '%s'\n",
                      state->path);
    buf_release(&one);
    buf_release(&all);
    return good && !failed ? EXIT_DONE : EXIT_FAILED;
}
