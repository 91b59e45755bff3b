/* SPDX-License-Identifier: ISC */
/* The lease of who has joined, as JSON: that of leasectl, and what leads to the gateway. */
#ifndef TUNLEASE_HANDOUT_LEASE_JSON_H
#define TUNLEASE_HANDOUT_LEASE_JSON_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct conf;
struct control_answer;
struct control_site;
struct lease;
struct opened_agents;

struct lease_json {
    const struct conf *conf;
    const struct lease *lease;
    const struct opened_agents *agents;
    const struct control_site *site;    /* its host keys */
    const struct control_answer *agent; /* NULL; or the member "agent": what register answers */
    size_t connect_max;                 /* a longer line is left out: "connect" is "" then */
};

/* Adds the object, on one line without a newline. 0, or -1: out of memory. */
int lease_json_add(const struct lease_json *j, int64_t now_s, struct buf *out);

#endif
