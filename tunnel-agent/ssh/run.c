/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/ssh/run.h"

#include "tunnel-agent/host/process.h"
#include "tunnel-agent/ssh/args.h"

#include <bsd/string.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Without the full stop at the end of the line. */
static void copy_fingerprint(char out[static FINGERPRINT_BYTES], const char *line)
{
    size_t len = strcspn(line, ". ");
    if (len < FINGERPRINT_BYTES)
        (void)snprintf(out, FINGERPRINT_BYTES, "%.*s", (int)len, line);
}

static void copy_after(char out[static SSHRUN_TEXT_BYTES], const char *line, const char *mark)
{
    const char *found = strstr(line, mark);
    if (found != NULL)
        (void)strlcpy(out, found + strlen(mark), SSHRUN_TEXT_BYTES);
}

static void on_line(struct ssh_run *r, const char *line)
{
    enum ssh_message message = sshmessage_parse(line);
    if (strstr(line, "UNKNOWN port 65535") != NULL) /* which a connection of ssh's own never has */
        r->jump_ended = true;
    switch (message) {
    case SSH_MESSAGE_UNKNOWN:
        return;
    case SSH_MESSAGE_AUTHENTICATED:
        r->authenticated = true;
        if (r->pid > 0)
            r->connection = connection_find(r->pid, &r->carrier);
        return;
    case SSH_MESSAGE_KEY_UNUSABLE:
        if (r->key_text[0] == '\0')
            (void)strlcpy(r->key_text, line, sizeof(r->key_text));
        return;
    case SSH_MESSAGE_SHOWN_KEY:
        copy_fingerprint(r->shown_key, line);
        return;
    case SSH_MESSAGE_OFFENDING_KEY:
        copy_after(r->offending_key, line, " in ");
        return;
    case SSH_MESSAGE_SERVICE_DOWN:
    case SSH_MESSAGE_FORBIDDEN:
        r->channel_failure = message;
        copy_after(r->channel_text, line, ": ");
        if (message == SSH_MESSAGE_FORBIDDEN) {
            r->refused_count++;
            copy_after(r->refused_text, line, ": ");
        }
        return;
    default:
        break;
    }
    if (message < r->cause)
        return;
    /* The first of several has the reason; but that of a changed host key is a banner, and the last
     * names the host. */
    if (message > r->cause || message == SSH_MESSAGE_HOST_KEY_CHANGED)
        (void)strlcpy(r->cause_text, line, sizeof(r->cause_text));
    r->cause = message;
}

void sshrun_read(struct ssh_run *r, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '\n' && text[i] != '\r') {
            if (r->line_len + 1 < sizeof(r->line)) /* the rest of a long line tells nothing */
                r->line[r->line_len++] = text[i];
            continue;
        }
        r->line[r->line_len] = '\0';
        if (r->line_len > 0)
            on_line(r, r->line);
        r->line_len = 0;
    }
}

void sshrun_drain(struct ssh_run *r)
{
    char chunk[2048];
    while (r->err_fd >= 0) {
        ssize_t n = read(r->err_fd, chunk, sizeof(chunk));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            sshrun_release(r);
            return;
        }
        sshrun_read(r, chunk, (size_t)n);
    }
}

static void on_stderr(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    sshrun_drain(ctx);
}

int sshrun_start(struct ssh_run *r, struct event_base *base, const struct sshargs *args)
{
    *r = (struct ssh_run){.err_fd = -1};
    pid_t pid = args->failed ? -1 : process_start(sshargs_argv(args), NULL, &r->err_fd);
    if (pid < 0)
        return -1;
    r->pid = pid;
    r->err_event = event_new(base, r->err_fd, EV_READ | EV_PERSIST, on_stderr, r);
    return r->err_event != NULL && event_add(r->err_event, NULL) == 0 ? 0 : -1;
}

void sshrun_signal(const struct ssh_run *r, int signal_no)
{
    if (r->pid > 0)
        process_signal(r->pid, signal_no);
}

bool sshrun_is_ending(struct ssh_run *r)
{
    siginfo_t info = {0};
    sshrun_drain(r);
    if (r->cause > SSH_MESSAGE_FORBIDDEN)
        return true;
    return waitid(P_PID, (id_t)r->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == r->pid;
}

void sshrun_reaped(struct ssh_run *r)
{
    r->pid = 0;
    sshrun_drain(r);
    sshrun_release(r); /* a jump host's ssh may still have the pipe open */
}

void sshrun_release(struct ssh_run *r)
{
    if (r->err_event != NULL)
        event_free(r->err_event);
    if (r->err_fd >= 0)
        (void)close(r->err_fd);
    r->err_event = NULL;
    r->err_fd = -1;
}
