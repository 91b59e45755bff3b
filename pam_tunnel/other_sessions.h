/* SPDX-License-Identifier: ISC */
/* The other sessions of the lease that a session is about to open for. */
#ifndef TUNLEASE_PAM_TUNNEL_OTHER_SESSIONS_H
#define TUNLEASE_PAM_TUNNEL_OTHER_SESSIONS_H

#include <security/pam_modules.h>
#include <stdbool.h>
#include <stdint.h>

struct registry;
struct session;

/* A session that is about to open. The lock of its lease is held. */
struct newcomer {
    pam_handle_t *pamh; /* for the log */
    const struct registry *registry;
    const struct session *session;
    int64_t deadline_ms; /* clock_monotonic_ms */
};

/*
 * For a lease that listens: ends its older sessions. lock is the descriptor of the lease's lock
 * file, which counts the takeovers. Returns NULL, or why the newcomer is refused; then
 * *ret_was_logged says whether an earlier login has logged this.
 */
const char *other_sessions_end(const struct newcomer *n, int lock, bool *ret_was_logged);

/* For a lease that does not listen. Returns NULL if it has fewer than max sessions, else why the
 * newcomer is refused. */
const char *other_sessions_check_limit(const struct newcomer *n, unsigned max);

#endif
