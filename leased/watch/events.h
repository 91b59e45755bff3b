/* SPDX-License-Identifier: ISC */
/* The kinds of leased's log lines that packaging/journald explains: those after which somebody may
 * ask what it means and what to do. Other lines have no kind. akc's are in akc/main.c. */
#ifndef TUNLEASE_LEASED_WATCH_EVENTS_H
#define TUNLEASE_LEASED_WATCH_EVENTS_H

#include "lib/base/log.h"

extern const struct log_event event_join_ended, event_join_stays;
extern const struct log_event event_session_ended, event_session_stays, event_sight_lost;
extern const struct log_event event_tunnel_up, event_tunnel_down;
extern const struct log_event event_agent_registered, event_heartbeat, event_request_refused;
extern const struct log_event event_agent_copied;
extern const struct log_event event_expires_soon, event_clock_jumped, event_audit_head;
extern const struct log_event event_store_unusable, event_store_replaced;
extern const struct log_event event_conf_refused, event_conf_reloaded, event_sockets_differ;
extern const struct log_event event_cannot_join, event_joined, event_join_refused;
extern const struct log_event event_stopping, event_start_paused, event_http_ended;

#endif
