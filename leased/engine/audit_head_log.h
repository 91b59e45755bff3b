/* SPDX-License-Identifier: ISC */
/*
 * The head of the audit in the log, once each day: `audit head seq=N hash=HEX`. A log that is sent
 * to another machine then shows a cut of the newest rows, which nothing here can (leasectl(1),
 * audit verify).
 */
#ifndef TUNLEASE_LEASED_ENGINE_AUDIT_HEAD_LOG_H
#define TUNLEASE_LEASED_ENGINE_AUDIT_HEAD_LOG_H

#include <stdbool.h>
#include <stdint.h>

struct open_store;

struct audit_head_log {
    const struct open_store *open_store;
    bool is_logged;    /* on `day`, and of this store */
    int64_t day;       /* in UTC, counted from 1970 */
    int64_t warned_ms; /* when it last could not be read */
};

/* Logs it if that was not done today. A failure is tried again with the next call. */
void audit_head_log_daily(struct audit_head_log *l, int64_t now_s);

/* Another store is open: its head is logged with the next call of audit_head_log_daily. */
void audit_head_log_again(struct audit_head_log *l);

#endif
