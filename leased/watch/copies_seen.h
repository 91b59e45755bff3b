/* SPDX-License-Identifier: ISC */
/* The agents of which a copy was refused lately, for the page. In memory: a copy that is still
 * there comes again. */
#ifndef TUNLEASE_LEASED_WATCH_COPIES_SEEN_H
#define TUNLEASE_LEASED_WATCH_COPIES_SEEN_H

#include "lib/session/session.h"

#include <stddef.h>
#include <stdint.h>

enum { COPIES_SEEN_MAX = 8, COPIES_SEEN_MS = 3600000 };

struct copy_seen {
    char name[SESSION_NAME_BYTES]; /* of the agent; "": a free place */
    char from[SESSION_ADDRESS_BYTES], other[SESSION_ADDRESS_BYTES];
    int64_t seen_ms; /* monotonic clock */
};

/* Zero-initialised: none. Where there are more, the one that was seen least recently is forgotten.
 */
struct copies_seen {
    struct copy_seen items[COPIES_SEEN_MAX];
};

void copies_seen_add(struct copies_seen *c, const char *name, const char *from, const char *other,
                     int64_t now_ms);
/* An admin or time has settled it. */
void copies_seen_forget(struct copies_seen *c, const char *name);
/* The item at i if it was seen within COPIES_SEEN_MS, else NULL. */
const struct copy_seen *copies_seen_at(const struct copies_seen *c, size_t i, int64_t now_ms);

#endif
