/* SPDX-License-Identifier: ISC */
/* What http refuses itself, for engine, which counts and logs it. */
#ifndef TUNLEASE_LEASED_HTTP_REFUSAL_REPORT_H
#define TUNLEASE_LEASED_HTTP_REFUSAL_REPORT_H

#include "leased/http/client.h"
#include "lib/wire/control.h"

#include <stdint.h>

/* Requests that we refused ourselves, of one code: how many engine was not told of, and the last.
 */
struct unreported_refusals {
    uint32_t unreported;
    bool on_metrics_listen;
    char address[CONTROL_ADDRESS_BYTES], why[CONTROL_ERROR_BYTES];
};

struct refusal_report {
    int engine_fd;       /* -1: engine is gone, and is told nothing */
    int64_t reported_s;  /* the second in which engine was told of refusals, */
    unsigned reports;    /* how often, */
    uint32_t unreported; /* and how many it was not told of yet */
    struct unreported_refusals codes[CONTROL_CODE__MAX];
};

/* Engine is told so seldom that a stranger costs it nothing: by code, each time of all since the
 * last, and of that one what it was. */
void refusal_report_add(struct refusal_report *r, const struct client *client,
                        enum control_code code, const char *why);

/* As far as engine may be told now. True: there are more, for another time. */
bool refusal_report_send(struct refusal_report *r);

#endif
