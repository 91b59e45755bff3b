/* SPDX-License-Identifier: ISC */
/*
 * One event, one line: to syslog (facility authpriv) in service, to stderr where a person asked.
 * Only programs log; lib/ reports to its caller. Bytes that are not printable ASCII are escaped,
 * so that nothing from outside can forge a line or move a terminal's cursor.
 */
#ifndef TUNLEASE_BASE_LOG_H
#define TUNLEASE_BASE_LOG_H

#include <stdbool.h>

/* ident must outlive the program (syslog(3) keeps the pointer). Opens nothing yet. */
void log_init(const char *ident, bool to_stderr);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * One fixed line from a signal handler, where syslog(3) may not be called: a datagram to
 * /dev/log, made with async-signal-safe calls only (signal-safety(7)). text must need no escaping.
 */
void log_error_async(const char *text);

#endif
