/* SPDX-License-Identifier: ISC */
/* An answer of the control plane that is a no: what a person reads, and how soon to ask again. */
#ifndef TUNLEASE_AGENT_GATEWAY_REFUSAL_H
#define TUNLEASE_AGENT_GATEWAY_REFUSAL_H

#include "lib/wire/control.h"
#include "tunnel-agent/tunnel/backoff.h"

struct credential;
struct register_error;

enum { REFUSAL_WHY_BYTES = 400 };

/* Why the answer is a no, for a person. */
void refusal_explain(const char *agent_id, const struct credential *c, unsigned status,
                     const struct register_error *e, char why[static REFUSAL_WHY_BYTES]);

enum backoff_kind refusal_backoff(enum control_code code);

#endif
