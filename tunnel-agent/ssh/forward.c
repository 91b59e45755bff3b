/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/ssh/forward.h"

#include "lib/base/clock.h"
#include "tunnel-agent/config/leg.h"
#include "tunnel-agent/host/localport.h"
#include "tunnel-agent/host/port_holder.h"
#include "tunnel-agent/host/process.h"
#include "tunnel-agent/ssh/args.h"
#include "tunnel-agent/ssh/message.h"

#include <arpa/inet.h>
#include <bsd/string.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
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

static void read_last_line(int fd, char *out, size_t size)
{
    char text[4096];
    ssize_t n = read(fd, text, sizeof(text) - 1);
    text[n > 0 ? n : 0] = '\0';
    const char *line = sshmessage_last_line(text);
    (void)strlcpy(out, line[0] != '\0' ? line : "ssh ended", size);
}

static pid_t start(const char *to, const char *config_file, uint16_t port, uint16_t far_port,
                   int *ret_err)
{
    struct sshargs args;
    char host[] = "127.0.0.1";
    const struct forward f = {.bind = host, .port = port, .host = host, .host_port = far_port};
    sshargs_build_forward(&args, to, config_file, &f);
    pid_t pid = args.failed ? -1 : process_start(sshargs_argv(&args), NULL, ret_err);
    sshargs_release(&args);
    return pid;
}

int sshforward_open(struct sshforward *f, const char *to, const char *config_file,
                    uint16_t far_port, int64_t end_ms, char why[static SSHFORWARD_WHY_BYTES])
{
    char holder[96];
    int status = 0;
    *f = (struct sshforward){.err_fd = -1};
    f->port =
        localport_is_free("127.0.0.1", far_port, holder, sizeof(holder)) ? far_port : free_port();
    f->pid = start(to, config_file, f->port, far_port, &f->err_fd);
    (void)strlcpy(why, "no answer in time", SSHFORWARD_WHY_BYTES);
    /* Any user of this host can take the port while ssh is still logging in, and must not get the
     * credential. So it is not enough that somebody listens: it must be our ssh. */
    while (f->pid > 0 && !(listens(f->port) && port_holder_is(f->pid, f->port)) &&
           clock_monotonic_ms() < end_ms) {
        if (process_reap(f->pid, false, &status) == f->pid) {
            read_last_line(f->err_fd, why, SSHFORWARD_WHY_BYTES);
            f->pid = -1;
            break;
        }
        (void)poll(NULL, 0, 30);
    }
    return f->pid > 0 && clock_monotonic_ms() < end_ms ? 0 : -1;
}

void sshforward_close(struct sshforward *f)
{
    int status = 0;
    if (f->pid > 0) {
        process_signal(f->pid, SIGKILL);
        (void)process_reap(f->pid, true, &status);
    }
    if (f->err_fd >= 0)
        (void)close(f->err_fd);
}
