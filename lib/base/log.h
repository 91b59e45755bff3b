/* SPDX-License-Identifier: ISC */
/*
 * The log: one event, one line; to syslog (facility authpriv), or to stderr if asked for. Only
 * programs log; lib/ returns the reason to its caller. Lines are escaped as by text_add_escaped, so
 * that text from outside can neither forge a line nor move a terminal's cursor.
 *
 * A log that nobody reads (a full pipe, a stopped syslog daemon) stops no program. Over its whole
 * life a program waits at most 200 ms for /dev/log (2 s for stderr), and a daemon does not wait.
 * Lost lines are counted, and their number is logged as soon as a line can be written again.
 * pam_tunnel does not use this: it runs inside sshd and logs by pam_syslog(3), which waits as
 * sshd's own log does.
 */
#ifndef TUNLEASE_BASE_LOG_H
#define TUNLEASE_BASE_LOG_H

#include "lib/base/journal.h"

#include <stdbool.h>
#include <stdint.h>

/* ident must stay valid until the program ends. syslog is opened by the first line. */
void log_init(const char *ident, bool to_stderr);

/*
 * For a daemon: a line that cannot be written at once is queued. The queue has 64 KiB, of which a
 * quarter is for warnings and errors only. When the queue stops being empty, wait_fn is called: it
 * must arrange that log_flush is called a little later, again and again until it returns true.
 */
void log_never_wait(void (*wait_fn)(void *arg), void *arg);
bool log_flush(void);    /* writes queued lines; true when the queue is empty */
void log_end(void);      /* before the program ends: tries for 200 ms to empty the queue */
uint64_t log_lost(void); /* how many lines were lost */

/* The descriptor to give a child as its stderr, so that its writes do not wait either. */
int log_stderr_fd(void);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Logs a line of a kind that the journal's catalog explains. Where the log ends up in systemd's
 * journal the line has fields; anywhere else, and when the journal does not take it at once, it is
 * the same line without them.
 */
void log_event(const struct log_event *event, const struct log_field *fields, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
#define LOG_FIELDS(...) ((const struct log_field[]){__VA_ARGS__, {NULL, NULL}})

/*
 * Logs one fixed line from a signal handler, where syslog(3) may not be called. It sends a datagram
 * to /dev/log and makes only async-signal-safe calls (signal-safety(7)). text is not escaped.
 */
void log_error_async(const char *text);

#endif
