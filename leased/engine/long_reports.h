/* SPDX-License-Identifier: ISC */
/*
 * Sends reports that do not fit into one packet, a few packets at a time: other answers must find
 * room in the socket, too.
 */
#ifndef TUNLEASE_LEASED_ENGINE_LONG_REPORTS_H
#define TUNLEASE_LEASED_ENGINE_LONG_REPORTS_H

#include "lib/base/buf.h"
#include "lib/wire/control.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct answers;
struct event;
struct event_base;
struct http_child;

enum { LONG_REPORTS_MAX = 32, LONG_REPORTS_BYTES = 8 << 20 /* of all together */ };

struct long_report {
    uint64_t id;
    pid_t http; /* the process that wants it */
    struct buf text;
    size_t sent;
};

struct long_reports {
    /* Lent. */
    struct answers *answers;
    const struct http_child *http;

    struct long_report items[LONG_REPORTS_MAX]; /* the first one is being sent */
    size_t count, bytes;
    struct control_answer packet;
    struct event *on_more;
};

/* The lent members must be set. Returns 0, or -1: out of memory. */
int long_reports_start(struct long_reports *l, struct event_base *base);

/* Sends the text, which is copied, as the answer to a request of CONTROL_STATUS. False: too many
 * are under way. */
bool long_reports_add(struct long_reports *l, uint64_t id, const struct buf *text);

#endif
