/* SPDX-License-Identifier: ISC */
/* What the holder of a lease is told, by an admin or when he joins: the lines to run, and what they
 * lead to. */
#ifndef TUNLEASE_HANDOUT_HANDOUT_H
#define TUNLEASE_HANDOUT_HANDOUT_H

struct buf;
struct conf;
struct lease;
struct opened_agents;
struct pubkey;

/*
 * Adds the lines for the holder of l and how to use them. agents: those that l opens.
 * l->expires_s INT64_MAX: its end is not known yet, and not printed.
 * host_key: this gateway's, to compare; NULL: the holder knows it already, and only the lines have
 * changed.
 */
void handout_add(const struct conf *conf, const struct lease *l, const struct opened_agents *agents,
                 const struct pubkey *host_key, struct buf *out);

enum { HANDOUT_LINES_MAX = 32768 /* bytes */ };

/* The same for the holder himself, who has just joined with key: login, host, port and forwards
 * stand on lines of their own, for programs with fields for them. Where that is longer than
 * HANDOUT_LINES_MAX, no line to run is there, and the permits are. */
void handout_add_joined(const struct conf *conf, const struct lease *l,
                        const struct opened_agents *agents, const struct pubkey *key,
                        struct buf *out);

#endif
