/* SPDX-License-Identifier: ISC */
#include "leasectl/open_watchdog.h"

#include "leasectl/ctl.h"
#include "lib/base/buf.h"
#include "lib/base/text.h"

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

/* After the limit there is a check every CHECK_MS. The program ends after IDLE_CHECKS_MAX checks
 * without a read or write, and after CHECKS_MAX in all, since somebody could feed it single bytes
 * for ever.
 */
enum { CHECK_MS = 250, IDLE_CHECKS_MAX = 4, CHECKS_MAX = 60 * 1000 / CHECK_MS };

enum { SIDECARS = 3, MESSAGE_BYTES = CONF_PATH_BYTES + 200 };

/* Everything that the signal handler needs, made before: the handler may call only what
 * signal-safety(7) lists. */
static struct {
    int io_fd;             /* /proc/self/io, or -1 */
    unsigned long calls;   /* the count at the last check, without own_reads */
    unsigned own_reads;    /* reads that the handler itself has made */
    unsigned checks, idle; /* checks in all; since the last read or write */
    char sidecars[SIDECARS][CONF_PATH_BYTES + 16];
    char is_fifo[SIDECARS][MESSAGE_BYTES];
    char is_idle[MESSAGE_BYTES];
    char is_long[MESSAGE_BYTES];
} watch;

/* Adds the number behind name. */
static bool add_count(const char *text, const char *name, unsigned long *sum)
{
    const char *at = strstr(text, name);
    if (at == NULL)
        return false;
    unsigned long count = 0;
    for (at += strlen(name); *at >= '0' && *at <= '9'; at++)
        count = count * 10 + (unsigned long)(*at - '0');
    *sum += count;
    return true;
}

/* syscr and syscw of proc(5): how many system calls have read or written, or tried to. A migration
 * may write for long without a read. False: unknown. */
static bool count_calls(unsigned long *ret)
{
    char text[256];
    ssize_t n = watch.io_fd < 0 ? -1 : pread(watch.io_fd, text, sizeof(text) - 1, 0);
    *ret = 0;
    if (n <= 0)
        return false;
    watch.own_reads++;
    text[n] = '\0';
    return add_count(text, "syscr: ", ret) && add_count(text, "syscw: ", ret);
}

static void end_program(const char *message)
{
    (void)!write(STDERR_FILENO, message, strlen(message));
    _exit(EXIT_STORE);
}

static void end_with_cause(void)
{
    struct stat st;
    for (size_t i = 0; i < SIDECARS; i++)
        if (lstat(watch.sidecars[i], &st) == 0 && S_ISFIFO(st.st_mode))
            end_program(watch.is_fifo[i]);
    end_program(watch.is_idle);
}

static void check_progress(int sig)
{
    int saved = errno;
    unsigned long calls;
    (void)sig;
    /* The count does not contain the read that gets it, so only earlier ones are subtracted. */
    unsigned own = watch.own_reads;
    bool progress = count_calls(&calls) && calls - own != watch.calls;
    watch.calls = calls - own;
    watch.idle = progress ? 0 : watch.idle + 1;
    if (watch.idle >= IDLE_CHECKS_MAX)
        end_with_cause();
    if (++watch.checks > CHECKS_MAX)
        end_program(watch.is_long);
    errno = saved;
}

static void make_messages(const struct ctl *ctl)
{
    static const char *const suffixes[SIDECARS] = {"-wal", "-shm", "-journal"};
    struct buf path = {0};
    text_add_escaped(&path, text_clip(ctl->conf.paths.database).s);
    const char *shown = buf_text_or(&path, "?");
    for (size_t i = 0; i < SIDECARS; i++) {
        (void)snprintf(watch.sidecars[i], sizeof(watch.sidecars[i]), "%s%s",
                       ctl->conf.paths.database, suffixes[i]);
        (void)snprintf(
            watch.is_fifo[i], sizeof(watch.is_fifo[i]),
            "leasectl: %s: the store '%s' does not open: '%s' next to it is a FIFO, which "
            "tunlease does not make: delete it\n",
            ctl->verb, shown, suffixes[i]);
    }
    (void)snprintf(watch.is_idle, sizeof(watch.is_idle),
                   "leasectl: %s: the store '%s' does not open: nothing was read from it for a "
                   "second, for an unknown reason: try again\n",
                   ctl->verb, shown);
    (void)snprintf(watch.is_long, sizeof(watch.is_long),
                   "leasectl: %s: the store '%s' is still not open after a minute, though it is "
                   "being read: try again when the machine is less busy\n",
                   ctl->verb, shown);
    buf_release(&path);
}

void open_watchdog_start(const struct ctl *ctl, int limit_ms)
{
    const struct sigaction on_alarm = {.sa_handler = check_progress, .sa_flags = SA_RESTART};
    const struct itimerval limit = {
        .it_value = {.tv_sec = limit_ms / 1000, .tv_usec = limit_ms % 1000 * 1000L},
        .it_interval = {.tv_usec = CHECK_MS * 1000L}};
    sigset_t alarm_only;
    watch.calls = 0;
    watch.own_reads = watch.checks = watch.idle = 0;
    make_messages(ctl);
    watch.io_fd = open("/proc/self/io", O_RDONLY | O_CLOEXEC);
    (void)sigaction(SIGALRM, &on_alarm, NULL);
    /* A parent may have blocked SIGALRM, and that lasts across exec(3). */
    (void)sigemptyset(&alarm_only);
    (void)sigaddset(&alarm_only, SIGALRM);
    (void)sigprocmask(SIG_UNBLOCK, &alarm_only, NULL);
    (void)setitimer(ITIMER_REAL, &limit, NULL);
}

void open_watchdog_stop(void)
{
    const struct itimerval none = {.it_value = {.tv_sec = 0}};
    (void)setitimer(ITIMER_REAL, &none, NULL);
    (void)signal(SIGALRM, SIG_DFL);
    if (watch.io_fd >= 0)
        (void)close(watch.io_fd);
    watch.io_fd = -1;
}
