/* SPDX-License-Identifier: ISC */
/*
 * One event, one line: to syslog (facility authpriv) in service, to stderr where a person asked.
 * Only programs log; lib/ reports to its caller. What is shown is fit to be
 * (text_add_escaped), so that nothing from outside can forge a line or move a terminal's cursor.
 *
 * A log that nobody reads, such as a full pipe or a stopped syslog daemon, stops no program: all
 * lines of one wait 200 ms together for /dev/log (2 s for stderr), and those of a daemon not at
 * all. What was lost is counted, and said when a line can go out again.
 * pam_tunnel is no program: it logs by pam_syslog(3), which waits where the sshd around it does.
 */
#ifndef TUNLEASE_BASE_LOG_H
#define TUNLEASE_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

/* ident must outlive the program. Opens nothing for syslog yet. */
void log_init(const char *ident, bool to_stderr);

/*
 * For a daemon: a line that is not taken at once is kept, with 64 KiB of others, and wait_fn is
 * called when it is the only one: have log_flush called a little later then, until it is true. Of
 * the room a quarter is for warnings and errors alone.
 */
void log_never_wait(void (*wait_fn)(void *arg), void *arg);
bool log_flush(void); /* whether nothing waits any more */
void log_end(void);   /* before the program ends: 200 ms for what waits */
uint64_t log_lost(void);

/* What a child should have as its stderr to write to it as we do. */
int log_stderr_fd(void);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * One fixed line from a signal handler, where syslog(3) may not be called: a datagram to
 * /dev/log, made with async-signal-safe calls only (signal-safety(7)). text must need no escaping.
 */
void log_error_async(const char *text);

#endif
