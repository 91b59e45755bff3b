/* SPDX-License-Identifier: ISC */
/* What http refuses itself, for engine, which counts and logs it. */
#ifndef TUNLEASE_LEASED_HTTP_REFUSED_H
#define TUNLEASE_LEASED_HTTP_REFUSED_H

#include "leased/http/client.h"
#include "lib/wire/control.h"

#include <stdint.h>

/* Requests that we refused ourselves, of one code: how many engine was not told of, and the last.
 */
struct refused_code {
    uint32_t untold;
    bool on_metrics_listen;
    char address[CONTROL_ADDRESS_BYTES], why[CONTROL_ERROR_BYTES];
};

struct refused {
    int engine_fd;   /* -1: engine is gone, and is told nothing */
    int64_t told_s;  /* the second in which engine was told of refusals, */
    unsigned told;   /* how often, */
    uint32_t untold; /* and how many it was not told of yet */
    struct refused_code codes[CONTROL_CODE__MAX];
};

/* Engine is told so seldom that a stranger costs it nothing: by code, each time of all since the
 * last, and of that one what it was. */
void refused_note(struct refused *r, const struct client *client, enum control_code code,
                  const char *why);

/* As far as engine may be told now. True: there are more, for another time. */
bool refused_tell(struct refused *r);

#endif
