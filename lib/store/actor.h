/* SPDX-License-Identifier: ISC */
/* Who makes a change: recorded in its audit row. */
#ifndef TUNLEASE_STORE_ACTOR_H
#define TUNLEASE_STORE_ACTOR_H

#include <stdint.h>

/* All strings are borrowed. */
struct store_actor {
    const char *who;    /* such as "uid=0 loginuid=1000 sudo=li" */
    const char *source; /* address, or "" for this host */
    int64_t now_s;
};

#endif
