/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/gateway/overssh.h"

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "tunnel-agent/gateway/http.h"
#include "tunnel-agent/host/localport.h"
#include "tunnel-agent/host/platform.h"
#include "tunnel-agent/host/process.h"
#include "tunnel-agent/ssh/forced.h"
#include "tunnel-agent/ssh/jump.h"

#include <arpa/inet.h>
#include <assert.h>
#include <bsd/string.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons(port),
                                .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
}

static uint16_t free_port(void)
{
    struct sockaddr_in any = loopback(0);
    socklen_t len = sizeof(any);
    uint16_t port = 0;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&any, sizeof(any)) == 0 &&
        getsockname(fd, (struct sockaddr *)&any, &len) == 0)
        port = ntohs(any.sin_port);
    if (fd >= 0)
        (void)close(fd);
    return port;
}

static bool listens(uint16_t port)
{
    const struct sockaddr_in to = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool ok = fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0;
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

/* The last whole line that ssh said. */
static void last_words(int fd, char *out, size_t size)
{
    char text[4096];
    ssize_t n = read(fd, text, sizeof(text) - 1);
    text[n > 0 ? n : 0] = '\0';
    char *rest = text;
    (void)strlcpy(out, "ssh ended", size);
    for (char *line; (line = strsep(&rest, "\r\n")) != NULL;)
        if (*line != '\0')
            (void)strlcpy(out, line, size);
}

unsigned overssh_post(const char *alias, const char *config, const struct http_url *url,
                      const char *credential, const char *body, int64_t timeout_ms, struct buf *out)
{
    char holder[96], spec[64], words[256] = "no answer in time";
    const char *argv[64], *setting;
    size_t n = 0;
    int err = -1, status = 0;
    unsigned answer = 0;
    int64_t end_ms = clock_monotonic_ms() + timeout_ms;
    uint16_t port =
        localport_is_free("127.0.0.1", url->port, holder, sizeof(holder)) ? url->port : free_port();

    (void)snprintf(spec, sizeof(spec), "127.0.0.1:%u:127.0.0.1:%u", port, url->port);
    argv[n++] = sshjump_name();
    if (config != NULL) {
        argv[n++] = "-F";
        argv[n++] = config;
    }
    for (size_t i = 0; (setting = sshforced(i)) != NULL; i++) {
        argv[n++] = "-o";
        argv[n++] = setting;
    }
    const char *const rest[] = {"-o", "ConnectTimeout=5", "-N", "-T", "-L", spec, "--", alias,
                                NULL};
    static_assert(sizeof(argv) / sizeof(argv[0]) >
                      2 * SSHFORCED_MAX + 4 + sizeof(rest) / sizeof(rest[0]),
                  "room for all of them");
    for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++)
        argv[n++] = rest[i];
    pid_t pid = process_start(argv, NULL, &err);
    /* Anybody on this host may take the port while ssh is still logging in. A credential must not
     * go to him, so it is not enough that somebody listens. */
    while (pid > 0 && !(listens(port) && platform_listens(pid, port)) &&
           clock_monotonic_ms() < end_ms) {
        if (process_reap(pid, false, &status) == pid) {
            last_words(err, words, sizeof(words));
            pid = -1;
            break;
        }
        (void)poll(NULL, 0, 30);
    }
    if (pid > 0 && clock_monotonic_ms() < end_ms) {
        struct http_url near = *url;
        near.tls = false; /* ssh protects it, and the far end is the control port itself */
        (void)strlcpy(near.host, "127.0.0.1", sizeof(near.host));
        near.port = port;
        answer = http_post(&near, credential, body, end_ms - clock_monotonic_ms(), out);
    } else {
        buf_addf(out, "cannot reach the control port over ssh to '%s': %s", alias, words);
    }
    if (pid > 0) {
        process_signal(pid, SIGKILL);
        (void)process_reap(pid, true, &status);
    }
    if (err >= 0)
        (void)close(err);
    return answer;
}
