/* SPDX-License-Identifier: ISC */
/* Where a request of an agent comes from. */
#ifndef TUNLEASE_LEASED_REQUESTS_CLIENT_H
#define TUNLEASE_LEASED_REQUESTS_CLIENT_H

#include <stdint.h>

struct sessions;

/*
 * A request through ssh comes from loopback: if it has proven to be from the agent of lease_id,
 * that is the client's address of the lease's session; else address. lease_id 0: no agent is
 * proven.
 * "": a unix socket, and no session. Valid until the next sweep.
 */
const char *request_client(const struct sessions *sessions, const char *address, int64_t lease_id);

#endif
