/* SPDX-License-Identifier: ISC */
#include "lib/base/log.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

enum {
    LOG_LINE_BYTES = 1024,
    PREFIX_BYTES = 80,
    SYSLOG_WAIT_MS = 200, /* a program's waits for /dev/log in all; akc as a whole has 1 s */
    STDERR_WAIT_MS = 2000,
    END_WAIT_MS = 200,
    QUEUE_BYTES = 65536,
    QUEUE_RESERVED_BYTES = QUEUE_BYTES / 4, /* only for warnings and errors */
};

static const char *log_ident = "tunlease";
static bool log_to_stderr, log_to_journal;
static int log_fd = -1;
static bool log_is_socket, log_is_stream;
static int64_t wait_left_ms = SYSLOG_WAIT_MS;
static void (*on_wait)(void *arg); /* set for a daemon, which queues lines; else NULL */
static void *on_wait_arg;

/* A daemon's lines that are not written yet: each its length (size_t), the text, a NUL. */
static char queue[QUEUE_BYTES];
static size_t queue_at, queue_end;
static uint64_t lost, lost_unreported; /* lines: of all time, and since report_lost */

/* ---- the log's descriptor ---- */

/* True if stderr is a stream of systemd's journal. The journal adds the program's name by itself
 * and reads the priority at the start of a line (sd-daemon(3)). */
static bool is_journal(void)
{
    unsigned long long device, inode;
    struct stat st;
    const char *stream = getenv("JOURNAL_STREAM");
    return stream != NULL && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

/*
 * Returns a descriptor of stderr's file to which writes do not block. O_NONBLOCK is a flag of the
 * open file description, which our shell shares; so a pipe or a terminal is opened a second time.
 * If that is refused (another user's pipe), the flag is set on the shared pipe all the same: a
 * daemon must not be stopped by its log.
 */
static int open_stderr(void)
{
    struct stat st;
    if (fstat(STDERR_FILENO, &st) != 0)
        return STDERR_FILENO;
    log_is_socket = S_ISSOCK(st.st_mode);
    if (!S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode))
        return STDERR_FILENO;
    int fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0)
        return fd;
    int flags = fcntl(STDERR_FILENO, F_GETFL);
    if (S_ISFIFO(st.st_mode) && flags >= 0)
        (void)fcntl(STDERR_FILENO, F_SETFL, flags | O_NONBLOCK);
    return STDERR_FILENO;
}

/* In place of syslog(3), which blocks for as long as the syslog daemon does not read. */
static int open_syslog(void)
{
    static const struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
    int fd = -1;
    for (int i = 0; i < 2; i++) {
        log_is_stream = i == 1;
        fd = socket(AF_UNIX, (i == 0 ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
            return fd;
        int saved = errno;
        (void)close(fd);
        errno = saved;
        if (saved != EPROTOTYPE)
            break;
    }
    return -1;
}

void log_init(const char *ident, bool to_stderr)
{
    log_ident = ident;
    log_to_stderr = to_stderr;
    log_to_journal = to_stderr && is_journal();
    if (to_stderr) {
        log_fd = open_stderr();
        wait_left_ms = STDERR_WAIT_MS;
    }
}

void log_never_wait(void (*wait_fn)(void *arg), void *arg)
{
    on_wait = wait_fn;
    on_wait_arg = arg;
}

int log_stderr_fd(void)
{
    return log_to_stderr ? log_fd : STDERR_FILENO;
}

/* ---- one line ---- */

static bool would_wait(int error)
{
    return error == EAGAIN || error == ENOBUFS || error == EINTR;
}

/* Of all that log_fd can be, only a terminal that could not be opened again may block (while its
 * output is stopped), so it is polled first. */
static ssize_t write_stderr(const char *line, size_t len)
{
    struct pollfd room = {.fd = log_fd, .events = POLLOUT};
    if (log_is_socket)
        return send(log_fd, line, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (log_fd == STDERR_FILENO && isatty(log_fd) && poll(&room, 1, 0) == 0) {
        errno = EAGAIN;
        return -1;
    }
    return write(log_fd, line, len);
}

/* A restarted syslog daemon has a new socket: a failed send is tried once on a new connection. */
static ssize_t send_syslog(const char *line, size_t len)
{
    ssize_t n = -1;
    for (int i = 0; i < 2; i++) {
        if (log_fd < 0)
            log_fd = open_syslog();
        if (log_fd < 0)
            return -1;
        n = send(log_fd, line, len + (log_is_stream ? 1 : 0), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n >= 0 || would_wait(errno))
            return n > (ssize_t)len ? (ssize_t)len : n;
        (void)close(log_fd);
        log_fd = -1;
    }
    return n;
}

/* Writes without blocking and returns how many bytes were accepted. line[len] must be a NUL: a
 * stream socket of syslog wants it after each line. */
static size_t try_write(const char *line, size_t len)
{
    ssize_t n = log_to_stderr ? write_stderr(line, len) : send_syslog(line, len);
    return n > 0 ? (size_t)n : 0;
}

/* ---- lines that cannot be written at once ---- */

static bool enqueue(const char *line, size_t len, size_t limit)
{
    if (queue_at > 0 && queue_end + sizeof(len) + len + 1 > limit) {
        memmove(queue, queue + queue_at, queue_end - queue_at);
        queue_end -= queue_at;
        queue_at = 0;
    }
    if (queue_end + sizeof(len) + len + 1 > limit)
        return false;
    bool first = queue_at == queue_end;
    memcpy(queue + queue_end, &len, sizeof(len));
    memcpy(queue + queue_end + sizeof(len), line, len);
    queue[queue_end + sizeof(len) + len] = '\0';
    queue_end += sizeof(len) + len + 1;
    if (first)
        on_wait(on_wait_arg);
    return true;
}

/* True: the queue is empty. */
static bool flush(void)
{
    while (queue_at < queue_end) {
        size_t len;
        memcpy(&len, queue + queue_at, sizeof(len));
        const char *line = queue + queue_at + sizeof(len);
        size_t n = try_write(line, len);
        if (n < len) { /* keep the rest of the line: a terminal may accept a part of it */
            queue_at += n;
            len -= n;
            memcpy(queue + queue_at, &len, sizeof(len));
            return false;
        }
        queue_at += sizeof(len) + len + 1;
    }
    queue_at = queue_end = 0;
    return true;
}

/* Waits for room as long as wait_left_ms lasts, which all lines of the program share. */
static size_t write_with_wait(const char *line, size_t len)
{
    size_t n;
    while ((n = try_write(line, len)) == 0 && would_wait(errno) && wait_left_ms > 0) {
        struct pollfd room = {.fd = log_fd, .events = POLLOUT};
        const int64_t since_ms = clock_monotonic_ms();
        (void)poll(&room, 1, (int)wait_left_ms);
        wait_left_ms -= clock_monotonic_ms() - since_ms + 1;
    }
    return n;
}

/* Writes what stands before a line, and returns its length. For syslog it is what syslog(3) writes
 * (RFC 3164 section 4.1). */
static size_t add_prefix(int priority, char out[static PREFIX_BYTES])
{
    char date[32] = "";
    struct tm tm;
    int n = 0;
    const time_t now_s = (time_t)clock_now_s();
    if (log_to_journal)
        n = snprintf(out, PREFIX_BYTES, "<%d>", priority);
    else if (log_to_stderr)
        n = snprintf(out, PREFIX_BYTES, "%.*s: ", PREFIX_BYTES - 3, log_ident);
    else if (localtime_r(&now_s, &tm) != NULL &&
             strftime(date, sizeof(date), "%b %e %H:%M:%S ", &tm) != 0)
        n = snprintf(out, PREFIX_BYTES, "<%d>%s%.24s[%d]: ", LOG_AUTHPRIV | priority, date,
                     log_ident, (int)getpid());
    return n > 0 ? (size_t)n : 0;
}

static size_t format_line(int priority, const char *text, char *out, size_t out_bytes)
{
    size_t len = add_prefix(priority, out);
    len += text_escape(out + len, out_bytes - len - 2, text);
    if (log_to_stderr)
        out[len++] = '\n';
    out[len] = '\0';
    return len;
}

/* Called when lines can be written again. */
static void report_lost(void)
{
    char text[96], line[PREFIX_BYTES + sizeof(text)];
    if (lost_unreported == 0)
        return;
    (void)snprintf(text, sizeof(text),
                   "%llu lines of this log were lost: they could not be written",
                   (unsigned long long)lost_unreported);
    size_t len = format_line(LOG_WARNING, text, line, sizeof(line));
    if (try_write(line, len) > 0)
        lost_unreported = 0;
}

bool log_flush(void)
{
    int saved_errno = errno;
    if (flush())
        report_lost();
    errno = saved_errno;
    return queue_at == queue_end;
}

/* One write(2) for each line, without stdio, so that lines of several processes do not mix. */
static void emit(int priority, const char *text)
{
    char line[LOG_LINE_BYTES + 256];
    const size_t len = format_line(priority, text, line, sizeof(line));
    const size_t limit = QUEUE_BYTES - (priority > LOG_WARNING ? QUEUE_RESERVED_BYTES : 0);
    size_t n = 0;
    if (on_wait == NULL) {
        report_lost();
        n = write_with_wait(line, len);
    } else if (log_flush()) {
        n = try_write(line, len);
    }
    if (n == len || (on_wait != NULL && enqueue(line + n, len - n, limit)))
        return;
    lost++;
    lost_unreported++;
}

static void log_line(int priority, const char *fmt, va_list ap)
{
    int saved_errno = errno;
    char raw[LOG_LINE_BYTES];
    vsnprintf(raw, sizeof(raw), fmt, ap);
    emit(priority, raw);
    errno = saved_errno;
}

void log_end(void)
{
    const int64_t until_ms = clock_monotonic_ms() + END_WAIT_MS;
    while (!log_flush() && clock_monotonic_ms() < until_ms)
        (void)poll(NULL, 0, 5);
}

uint64_t log_lost(void)
{
    return lost;
}

void log_error(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    log_line(LOG_ERR, fmt, ap);
    va_end(ap);
}

void log_warn(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    log_line(LOG_WARNING, fmt, ap);
    va_end(ap);
}

void log_info(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    log_line(LOG_INFO, fmt, ap);
    va_end(ap);
}

void log_event(const struct log_event *event, const struct log_field *fields, const char *fmt, ...)
{
    int saved_errno = errno;
    char raw[LOG_LINE_BYTES];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(raw, sizeof(raw), fmt, ap);
    va_end(ap);
    /* A line does not overtake those that wait. Of a line on stderr the journal knows the unit, so
     * a program that may end soon sees to it that it is not worse off here. */
    int64_t *wait_ms = log_to_journal && on_wait == NULL ? &wait_left_ms : NULL;
    if ((log_to_stderr && !log_to_journal) || queue_at < queue_end || lost_unreported > 0 ||
        !journal_send(log_ident, event, fields, raw, wait_ms))
        emit(event->priority, raw);
    errno = saved_errno;
}

void log_error_async(const char *text)
{
    static const char priority[] = "<83>"; /* authpriv (10) * 8 + err (3), RFC 3164 section 4.1.1 */
    struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
    char line[256];

    size_t at = strlcpy(line, priority, sizeof(line));
    at += strlcpy(line + at, log_ident, sizeof(line) - at);
    if (at < sizeof(line))
        at += strlcpy(line + at, ": ", sizeof(line) - at);
    if (at < sizeof(line))
        at += strlcpy(line + at, text, sizeof(line) - at);
    if (at >= sizeof(line))
        at = sizeof(line) - 1;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    (void)sendto(fd, line, at, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof(to));
    (void)close(fd);
}
