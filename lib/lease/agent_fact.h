/* SPDX-License-Identifier: ISC */
/* What an agent has told of its host, as the store keeps it: lines of `name value`, such as
 * hostname, user, target and host_key (of which there may be several). Pure. */
#ifndef TUNLEASE_LEASE_AGENT_FACT_H
#define TUNLEASE_LEASE_AGENT_FACT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Copies the value of the next fact of this name, and moves *rest behind it: *rest is the whole
 * text before the first call. A value is cut at out_bytes - 1 bytes. False: there is no further
 * one, and out is "".
 */
bool agent_fact_next(const char **rest, const char *name, char *out, size_t out_bytes);

#endif
