/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/tunnel/report.h"

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/lease/duration.h"
#include "lib/wire/agent_status.h"
#include "tunnel-agent/host/exchange.h"
#include "tunnel-agent/host/exit_code.h"
#include "tunnel-agent/tunnel/supervisor.h"
#include "tunnel-agent/tunnel/tunnel.h"

#include <bsd/string.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

enum { ASK_MS = 2000, REPORT_MAX = 1024 * 1024, COLUMNS = 7, ENDPOINT_BYTES = 300 };

static void endpoint(const char *host, unsigned port, char out[static ENDPOINT_BYTES])
{
    bool six = strchr(host, ':') != NULL;
    (void)snprintf(out, ENDPOINT_BYTES, "%s%.253s%s:%u", six ? "[" : "", host, six ? "]" : "",
                   port);
}

/* ---- of one tunnel ---- */

static void format_json(struct supervisor *s, const struct tunnel *t, struct buf *out)
{
    const struct leg *leg = t->leg;
    struct agent_status_forward forwards[LEG_FORWARDS_MAX + 1];
    char(*text)[2][ENDPOINT_BYTES] = calloc(leg->forward_count + 1, sizeof(*text));
    char reverse[2 * ENDPOINT_BYTES] = "";
    size_t n = 0;
    if (text == NULL) {
        out->failed = true;
        return;
    }
    for (; n < leg->forward_count; n++) {
        endpoint(leg->forwards[n].bind, leg->forwards[n].port, text[n][0]);
        endpoint(leg->forwards[n].host, leg->forwards[n].host_port, text[n][1]);
        forwards[n] = (struct agent_status_forward){.listen = text[n][0],
                                                    .to = text[n][1],
                                                    .direction = "local",
                                                    .open = t->proven && !t->left_out[n],
                                                    .holder = t->left_out[n] ? t->holder[n] : NULL};
    }
    if (leg->reverse != NULL) { /* BIND:PORT:HOST:PORT, where BIND has no colon outside brackets */
        (void)strlcpy(reverse, leg->reverse, sizeof(reverse));
        char *p = reverse[0] == '[' ? strchr(reverse, ']') : reverse;
        p = p != NULL ? strchr(p, ':') : NULL;
        p = p != NULL ? strchr(p + 1, ':') : NULL;
        if (p != NULL) {
            *p = '\0';
            forwards[n++] = (struct agent_status_forward){
                .listen = reverse, .to = p + 1, .direction = "reverse", .open = t->proven};
        }
    }
    struct agent_status status = {.name = leg->name,
                                  .to = leg->to,
                                  .pid = getpid(),
                                  .state = tunnel_state_name(t->state),
                                  .reason = t->reason,
                                  .since_s = t->since_s,
                                  .restarts = t->restarts,
                                  .probe_ms = t->probe_ms,
                                  .service = service_state_name(t->service),
                                  .service_detail = t->service_text,
                                  .forwards = forwards,
                                  .forward_count = n};
    if (s->fill_status != NULL)
        s->fill_status(s->fill_ctx, &status);
    if (agent_status_json(&status, out) != 0)
        out->failed = true;
    free(text);
}

static void format_line(const struct tunnel *t, struct buf *out)
{
    char since[TIME_TEXT_BYTES], probe[32] = "-";
    const char *note = t->reason;
    duration_format(clock_now_s() - t->since_s, since);
    if (t->probe_ms >= 0)
        (void)snprintf(probe, sizeof(probe), "%lld ms", (long long)t->probe_ms);
    bool all_open = t->state == TUNNEL_UP && t->left_out_count == 0;
    if (all_open && t->service_text[0] != '\0')
        note = t->service_text;
    /* After a recovery the last reason still tells a person why. */
    buf_addf(out, "%s\t%s\t%s\t%u\t%s\t%s\t%s", t->leg->name, tunnel_state_name(t->state), since,
             t->restarts, probe, service_state_name(t->service),
             all_open && note == t->reason && note[0] != '\0' ? "last: " : "");
    text_add_fit(out, note);
    buf_add(out, "\n");
}

void report_format(struct supervisor *s, bool json, struct buf *out)
{
    for (size_t i = 0; i < s->tunnel_count; i++) {
        if (!json) {
            format_line(s->tunnels[i], out);
            continue;
        }
        if (i > 0)
            buf_add(out, ",\n");
        format_json(s, s->tunnels[i], out);
    }
}

/* ---- the asking side ---- */

/* 0, or -1: it does not answer; -2: nobody is there. */
static int ask_agent(const char *path, bool json, struct buf *out)
{
    struct sockaddr_un address;
    char chunk[8192];
    int rc = -1;
    int64_t end_ms = clock_monotonic_ms() + ASK_MS;
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

static void print_table(char *text)
{
    static const char *const head[COLUMNS] = {"NAME",  "STATE",   "SINCE", "RESTARTS",
                                              "PROBE", "SERVICE", "NOTE"};
    size_t width[COLUMNS];
    char *copy = strdup(text);
    for (size_t c = 0; c < COLUMNS; c++)
        width[c] = strlen(head[c]);
    for (char *rest = copy, *line; copy != NULL && (line = strsep(&rest, "\n")) != NULL;)
        for (size_t c = 0; c < COLUMNS && line != NULL; c++) {
            size_t len = strlen(strsep(&line, "\t"));
            if (len > width[c])
                width[c] = len;
        }
    free(copy);
    for (size_t c = 0; c < COLUMNS; c++)
        (void)printf("%-*s%s", c + 1 < COLUMNS ? (int)width[c] : 0, head[c],
                     c + 1 < COLUMNS ? "  " : "\n");
    for (char *line; (line = strsep(&text, "\n")) != NULL && *line != '\0';)
        for (size_t c = 0; c < COLUMNS && line != NULL; c++)
            (void)printf("%-*s%s", c + 1 < COLUMNS ? (int)width[c] : 0, strsep(&line, "\t"),
                         c + 1 < COLUMNS ? "  " : "\n");
}

/* Does every tunnel stand as up? Judged by the text that is shown. */
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

int report_show(const struct statedir *state, bool json)
{
    struct buf all = {0}, one = {0};
    bool silent = false;
    char path[STATEDIR_PATH_BYTES + 300];
    DIR *dir = opendir(state->run);
    for (const struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
        const char *dot = strrchr(e->d_name, '.');
        if (dot == NULL || strcmp(dot, ".status") != 0)
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", state->run, e->d_name);
        buf_clear(&one);
        int rc = ask_agent(path, json, &one);
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
        print_table(all.data);
    else
        (void)fputs(text != NULL ? text : "", stdout);
    if (all.len == 0 && !silent && !json)
        (void)fprintf(stderr, "tunnel-agent: no agent runs with the state directory '%s'\n",
                      state->path);
    buf_release(&one);
    buf_release(&all);
    return good ? EXIT_DONE : EXIT_FAILED;
}
