/* SPDX-License-Identifier: ISC */
/*
 * Whether the far side's sshd allows the forwards of a tunnel that answers. It says so only when a
 * forward is used, so this opens one connection through each, one after the other, with nothing to
 * say. The service behind it sees what the probe shows it later, too.
 *
 * A service may accept and be silent, which looks like a refusal that is still on its way. So the
 * canary follows each connection: sshd refuses a channel that it forbids before it turns to the
 * next request, and ssh prints a line for each refusal before it closes the connection. Once the
 * canary is answered, no refusal is outstanding. A far side that answers out of order, as none of
 * OpenSSH or dropbear does, may be taken for one that allows.
 */
#ifndef TUNLEASE_AGENT_TUNNEL_FORWARD_CHECK_H
#define TUNLEASE_AGENT_TUNNEL_FORWARD_CHECK_H

#include "tunnel-agent/host/exchange.h"
#include "tunnel-agent/tunnel/standing.h"

#include <stdbool.h>
#include <stddef.h>

struct event_base;
struct leg;
struct ssh_run;

struct forward_check {
    bool wanted;                 /* set by who owns the tunnel */
    char why[TUNNEL_TEXT_BYTES]; /* which forward is forbidden, for a person; "": none */

    /* Set before forward_check_begin. */
    struct event_base *base;
    const struct leg *leg;
    const bool *left_out;    /* forward i is left out */
    const char *canary_path; /* as in watch.h */
    struct ssh_run *ssh;
    void (*done)(void *ctx); /* called once from the loop, unless ssh is about to end */
    void *ctx;

    struct exchange forward, canary;
    size_t at; /* the forward that is checked */
    bool under_way;
    bool forbids_canary; /* then each canary adds a refusal of its own */
    unsigned refused_before;
};

/* The canary was answered, and ssh has opened nothing else yet. */
void forward_check_begin(struct forward_check *c);

void forward_check_cancel(struct forward_check *c);
void forward_check_release(struct forward_check *c);

#endif
