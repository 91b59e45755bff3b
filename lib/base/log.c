/* SPDX-License-Identifier: ISC */
#include "lib/base/log.h"

#include <bsd/string.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>
#include <bsd/vis.h>

enum { LOG_LINE_BYTES = 1024, PREFIX_BYTES = 40 };

static const char *log_ident = "tunlease";
static bool log_to_stderr, log_to_journal;

/* Whether stderr is a stream of systemd's journal, which names the program by itself and takes the
 * priority in front of the line (sd-daemon(3)). */
static bool is_journal(void)
{
    unsigned long long device, inode;
    struct stat st;
    const char *stream = getenv("JOURNAL_STREAM");
    return stream != NULL && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

void log_init(const char *ident, bool to_stderr)
{
    log_ident = ident;
    log_to_stderr = to_stderr;
    log_to_journal = to_stderr && is_journal();
    openlog(ident, LOG_PID, LOG_AUTHPRIV);
}

/* At most size - 1 bytes and a NUL; how many. */
static size_t escape(char *dst, size_t size, const char *src)
{
    size_t used = 0;
    for (; *src != '\0' && used + 5 < size; src++) { /* one byte becomes at most four and a NUL */
        if (*src >= ' ' && *src <= '~') { /* stays what it is: vis takes 100 ns to say so */
            dst[used++] = *src;
            continue;
        }
        char *end = vis(dst + used, *src, VIS_CSTYLE | VIS_NOSLASH | VIS_TAB | VIS_NL, src[1]);
        used = (size_t)(end - dst);
    }
    dst[used] = '\0';
    return used;
}

/* One write, past stdio: a line is whole, and stderr has no buffer of its own to gain by. */
static void log_line(int priority, const char *fmt, va_list ap)
{
    int saved_errno = errno;
    char raw[LOG_LINE_BYTES];
    char line[LOG_LINE_BYTES + 256];
    size_t len = 0;

    vsnprintf(raw, sizeof(raw), fmt, ap);
    if (log_to_journal)
        len = (size_t)snprintf(line, PREFIX_BYTES, "<%d>", priority);
    else if (log_to_stderr)
        len = (size_t)snprintf(line, PREFIX_BYTES, "%.*s: ", PREFIX_BYTES - 3, log_ident);
    len += escape(line + len, sizeof(line) - len - 1, raw);
    if (log_to_stderr) {
        line[len++] = '\n';
        (void)!write(STDERR_FILENO, line, len);
    } else {
        syslog(priority, "%s", line);
    }
    errno = saved_errno;
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
