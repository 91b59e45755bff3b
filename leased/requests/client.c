/* SPDX-License-Identifier: ISC */
#include "leased/requests/client.h"

#include "leased/requests/limiter.h"
#include "leased/watch/sessions.h"

const char *request_client(const struct sessions *sessions, const char *address, int64_t lease_id)
{
    const struct session *s = lease_id != 0 && address_is_loopback(address)
                                  ? sessions_find_open(sessions, lease_id)
                                  : NULL;
    return s != NULL && s->source[0] != '\0' ? s->source : address;
}
