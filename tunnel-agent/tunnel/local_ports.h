/* SPDX-License-Identifier: ISC */
/* A leg's local ports: which of them others hold, so that their forwards are left out for now. */
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
    const char *mux_path; /* where the ssh that runs takes one forward more */
    struct standing *standing;
    struct event *port_timer; /* the owner's: it is to look again */

    bool *left_out; /* of forward i: its local port is taken */
    char (*holder)[LOCAL_PORTS_HOLDER_BYTES];
    size_t left_out_count;
    struct job *job;
};

/* 0, or -1: no memory. */
int local_ports_init(struct local_ports *p);

/* Before ssh starts: finds those that are taken, and makes that the reason and a line of the log.
 */
void local_ports_scan(struct local_ports *p);

/* Sets the timer while any is left out, else takes it back. */
void local_ports_set_timer(struct local_ports *p);

/* While ssh runs: has it hold the first forward whose port is free again. */
void local_ports_add_freed(struct local_ports *p);

/* The ssh that was asked for a forward is gone. */
void local_ports_cancel(struct local_ports *p);
void local_ports_release(struct local_ports *p);

#endif
