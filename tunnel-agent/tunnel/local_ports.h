/* SPDX-License-Identifier: ISC */
/* The local ports of a leg. A forward whose port another program holds is left out until the port
 * is free. */
#ifndef TUNLEASE_AGENT_TUNNEL_LOCAL_PORTS_H
#define TUNLEASE_AGENT_TUNNEL_LOCAL_PORTS_H

#include <stdbool.h>
#include <stddef.h>

struct event;
struct event_base;
struct job;
struct leg;
struct settings;
struct standing;

enum { LOCAL_PORTS_HOLDER_BYTES = 96 };

struct local_ports {
    /* Set by the owner before local_ports_init. */
    const struct leg *leg;
    const struct settings *settings;
    struct event_base *base;
    const char *mux_path; /* the socket of the running ssh, for ssh -O forward */
    struct standing *standing;
    struct event *port_timer; /* the owner's: when to try again */

    bool *left_out; /* forward i is left out: another program holds its port */
    char (*holder)[LOCAL_PORTS_HOLDER_BYTES];
    size_t left_out_count;
    struct job *job;
};

/* 0, or -1: no memory. */
int local_ports_init(struct local_ports *p);

/* Before ssh starts: finds the forwards to leave out, and puts that into the reason and the log.
 */
void local_ports_scan(struct local_ports *p);

/* Sets the timer if a forward is left out, else stops it. */
void local_ports_set_timer(struct local_ports *p);

/* While ssh runs: starts a job that adds the first forward whose port is free again. */
void local_ports_add_freed(struct local_ports *p);

/* Cancels that job: its ssh has ended. */
void local_ports_cancel(struct local_ports *p);
void local_ports_release(struct local_ports *p);

#endif
