/* SPDX-License-Identifier: ISC */
/* An answer of the control port that refuses: what a person reads, and how soon to try again. */
#ifndef TUNLEASE_AGENT_GATEWAY_REFUSAL_H
#define TUNLEASE_AGENT_GATEWAY_REFUSAL_H

#include "lib/wire/control.h"
#include "tunnel-agent/tunnel/backoff.h"

struct credential;
struct register_error;

enum { REFUSAL_WHY_BYTES = 640 };

/* Explains the refusal to a person: why, and what to do. */
void refusal_explain(const char *agent_id, const struct credential *c, unsigned status,
                     const struct register_error *e, char why[static REFUSAL_WHY_BYTES]);

enum backoff_kind refusal_backoff(enum control_code code);

#endif
