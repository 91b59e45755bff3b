/* SPDX-License-Identifier: ISC */
/* Reports to engine what http itself refused, so that engine can count and log it. */
#ifndef TUNLEASE_LEASED_HTTP_REFUSAL_REPORT_H
#define TUNLEASE_LEASED_HTTP_REFUSAL_REPORT_H

#include "leased/http/client.h"
#include "lib/wire/control.h"

#include <stdint.h>

/* Refusals with one code that engine does not know of yet: how many, and the last of them. */
struct unreported_refusals {
    uint32_t unreported;
    bool on_metrics_listen;
    char address[CONTROL_ADDRESS_BYTES], why[CONTROL_ERROR_BYTES];
};

struct refusal_report {
    int engine_fd;       /* -1: engine is gone, and nothing is sent */
    int64_t reported_s;  /* the second of the newest report */
    unsigned reports;    /* how many were sent within that second */
    uint32_t unreported; /* refusals of all codes that engine does not know of yet */
    struct unreported_refusals codes[CONTROL_CODE__MAX];
};

/* Counts a refusal, and reports it now if the limit of reports a second allows: a stranger's bad
 * requests must cost engine next to nothing. A report is about one code: the number of refusals
 * since the last report, and address and reason of the newest. */
void refusal_report_add(struct refusal_report *r, const struct client *client,
                        enum control_code code, const char *why);

/* Sends what could not be reported before. True: some still cannot; call again later. */
bool refusal_report_send(struct refusal_report *r);

#endif
