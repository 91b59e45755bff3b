/* SPDX-License-Identifier: ISC */
/*
 * One line of the log with fields, as systemd's journal takes it: a datagram of KEY=value lines
 * (systemd, docs/JOURNAL_NATIVE_PROTOCOL). Who reads the journal finds the line by them, and
 * `journalctl -x` explains it by its MESSAGE_ID. Never blocks. Used by log.h.
 */
#ifndef TUNLEASE_BASE_JOURNAL_H
#define TUNLEASE_BASE_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

/* A kind of line. id is its MESSAGE_ID: 32 hexadecimal digits, in packaging/journald, too, and
 * never another one again. priority is that of syslog(3). */
struct log_event {
    const char *id;
    int priority;
};

/* name is in upper case, as the journal wants it. Fields whose value is empty or NULL are left
 * out. The last one has no name. */
struct log_field {
    const char *name, *value;
};

/*
 * False: no journal is there, or it does not take the line now. Text and values are escaped.
 * journald looks up in /proc which unit a line is of, after it has read the line. So a program that
 * may end soon waits until then, at most *wait_ms, which becomes less; others pass NULL.
 */
bool journal_send(const char *ident, const struct log_event *event, const struct log_field *fields,
                  const char *text, int64_t *wait_ms);

#endif
