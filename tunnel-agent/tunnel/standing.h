/* SPDX-License-Identifier: ISC */
/* The state of a tunnel as it is shown and logged. */
#ifndef TUNLEASE_AGENT_TUNNEL_STANDING_H
#define TUNLEASE_AGENT_TUNNEL_STANDING_H

#include <stdint.h>

enum { TUNNEL_TEXT_BYTES = 800 };

enum tunnel_state {
    TUNNEL_CONNECTING,
    TUNNEL_UP,
    TUNNEL_SUSPECT,
    TUNNEL_PAUSED,
    TUNNEL_STATE__MAX
};

enum service_state {
    SERVICE_UNKNOWN, /* not probed yet, or Probe none */
    SERVICE_OK,
    SERVICE_SILENT,    /* accepts and never answers */
    SERVICE_DOWN,      /* the far side cannot connect to it */
    SERVICE_FORBIDDEN, /* the far side's sshd refuses the forward */
    SERVICE__MAX,
};

const char *tunnel_state_name(enum tunnel_state state);
const char *service_state_name(enum service_state service);

struct standing {
    const char *name;           /* of the tunnel, for the log */
    void (*changed)(void *ctx); /* called by every standing_set; may be NULL */
    void *ctx;

    enum tunnel_state state;
    int64_t since_s; /* Unix seconds of the last change of state */
    char reason[TUNNEL_TEXT_BYTES];
    unsigned restarts;
    int64_t probe_ms; /* how long the last answer took; -1: none yet */
    enum service_state service;
    char service_text[TUNNEL_TEXT_BYTES];

    char last_logged[TUNNEL_TEXT_BYTES];
    int64_t last_logged_ms;
};

/* reason may be s->reason, to keep it. */
void standing_set(struct standing *s, enum tunnel_state state, const char *reason);

/* Sets the service and logs a change. */
void standing_set_service(struct standing *s, enum service_state service, const char *text);

/* Logs a warning, but the same text again only after ten minutes. */
void standing_log_trouble(struct standing *s, const char *text);

#endif
