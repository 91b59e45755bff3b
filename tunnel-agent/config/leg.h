/* SPDX-License-Identifier: ISC */
/*
 * A leg: one ssh connection to be kept up, and the forwards it holds, as a person wrote them down
 * on a command line or in tunnels.conf. Nothing here changes while the program runs.
 */
#ifndef TUNLEASE_AGENT_CONFIG_LEG_H
#define TUNLEASE_AGENT_CONFIG_LEG_H

#include "lib/lease/name.h"
#include "lib/lease/pubkey.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LEG_FORWARDS_MAX = 256,   /* of one leg */
    LEG_SSH_OPTIONS_MAX = 64, /* options of ssh that were handed on */
    LEG_RANGE_PORTS = 256,    /* the most one range may span */
    LEG_PROBE_PATH_BYTES = 256,
    LEGS_MAX = 256,
};

enum probe_kind {
    PROBE_TCP,  /* connect, close our half, and see what comes back */
    PROBE_HTTP, /* GET a path: any HTTP status proves the path */
    PROBE_NONE, /* the canary alone */
};

/* One `-L BIND:PORT:HOST:HOST_PORT`. Hosts are as typed, for sshd compares permits as strings. */
struct forward {
    char *bind; /* owned; no brackets; "*" for every address */
    char *host; /* owned; no brackets */
    uint16_t port, host_port;
};

struct leg {
    char name[LEASE_NAME_BYTES];
    char *to;                               /* owned: [USER@]HOST or an alias, as ssh takes it */
    char *ssh_options[LEG_SSH_OPTIONS_MAX]; /* owned: options of ssh in the user's order, "-p",
                                               "13273", ... */
    size_t ssh_option_count;
    struct forward *forwards; /* owned */
    size_t forward_count;
    enum probe_kind probe;
    char probe_path[LEG_PROBE_PATH_BYTES]; /* of PROBE_HTTP */
    char host_key[FINGERPRINT_BYTES];      /* the pinned SHA256:..., or "" */

    /* For a gateway only; "" or NULL for a leg of the user's own ssh. */
    char *reverse;      /* owned: BIND:PORT:HOST:PORT of -R */
    char *control_sock; /* owned: the unix socket that leads to the gateway's control port */
    char *control_to;   /* owned: HOST:PORT at the far end of it */
    char *known_hosts;  /* owned: the only file of host keys that counts */
    char *config_file;  /* owned: -F; NULL: ssh's own */
    char *identity;     /* owned: the only key that is offered */
};

void leg_release(struct leg *leg);

/*
 * Each takes a person's words. NULL, or why they cannot be taken, as a clause; the leg is then
 * unchanged. `forward` is [BIND:]PORT:HOST:HOSTPORT, or PORTS alone, which means the same ports of
 * the far host's loopback; PORT may be a range LOW-HIGH. *ret_warning (never NULL) becomes a remark
 * to show, or NULL. The values of ssh's -p, -i and -o are checked, and other options taken as they
 * are; value may be NULL.
 */
const char *leg_set_to(struct leg *leg, const char *to);
const char *leg_add_forward(struct leg *leg, const char *spec, const char **ret_warning);
const char *leg_add_ssh_option(struct leg *leg, const char *option, const char *value);
const char *leg_set_probe(struct leg *leg, const char *spec);
const char *leg_set_host_key(struct leg *leg, const char *fingerprint);

/* A name of letters, digits and . _ - for a leg that was given none: its host. */
void leg_name_from_host(struct leg *leg);

/* Port numbers as people type them: 1-65535. 0 when text is none. */
uint16_t leg_port(const char *text);

/* Both could be asked to listen at once only in vain: same port, and addresses that overlap. */
bool forward_collides(const struct forward *a, const struct forward *b);

#endif
