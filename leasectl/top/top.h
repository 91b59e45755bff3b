/* SPDX-License-Identifier: ISC */
/* The live view of `leasectl top`: looks, draws, and does what keys ask for. */
#ifndef TUNLEASE_LEASECTL_TOP_TOP_H
#define TUNLEASE_LEASECTL_TOP_TOP_H

#include "leasectl/ctl.h"

#include <stdbool.h>
#include <stdint.h>

struct top_request {
    int delay_ms;  /* between two looks */
    int64_t count; /* how many looks; 0: until somebody ends it */
    bool batch;    /* print each look as text */
    /* The commands of the same names. */
    int (*kill)(struct ctl *ctl, int argc, char **argv);
    int (*revoke)(struct ctl *ctl, int argc, char **argv);
};

/* EXIT_DONE, or the exit code with the error printed. */
int top_run(struct ctl *ctl, const struct top_request *req);

#endif
