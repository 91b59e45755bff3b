/* SPDX-License-Identifier: ISC */
/*
 * A leg: one ssh connection to keep up, and its forwards, as a person wrote them on the command
 * line or in tunnels.conf. It does not change while the program runs, but for a gateway's leg,
 * which is built anew from each answer of the gateway.
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
    LEG_SSH_OPTIONS_MAX = 64, /* options and their values, each counted */
    LEG_RANGE_PORTS = 256,    /* the most that one range may span */
    LEG_PROBE_PATH_BYTES = 256,
    LEGS_MAX = 256,
};

enum probe_kind {
    PROBE_TCP,  /* connect, close our half, and wait for a byte or the close */
    PROBE_HTTP, /* GET a path: any HTTP status is an answer */
    PROBE_NONE, /* ask the far side's sshd alone, see tunnel/watch.h */
};

/* One `-L BIND:PORT:HOST:HOST_PORT`. Hosts stay as they were typed, because sshd compares permits
 * as strings. */
struct forward {
    char *bind; /* owned; no brackets; "*" for every address */
    char *host; /* owned; no brackets */
    uint16_t port, host_port;
};

struct leg {
    char name[LEASE_NAME_BYTES];
    char *to;                               /* owned: [USER@]HOST or an alias, as ssh takes it */
    char *ssh_options[LEG_SSH_OPTIONS_MAX]; /* owned: in the user's order: "-p", "13273", ... */
    size_t ssh_option_count;
    struct forward *forwards; /* owned */
    size_t forward_count;
    enum probe_kind probe;
    char probe_path[LEG_PROBE_PATH_BYTES]; /* of PROBE_HTTP */
    char host_key[FINGERPRINT_BYTES];      /* the pinned SHA256:..., or "" */
    /* Of `exec`, which names each forward by its remote port: that is no range, and there once. A
     * local port may be 0 until the owner fills in a free one. */
    bool is_for_command;

    /* For a gateway only; NULL in a leg of the user's own ssh. */
    char *reverse;      /* owned: BIND:PORT:HOST:PORT of -R */
    char *control_sock; /* owned: path of the unix socket that ssh forwards to the control port */
    char *control_to;   /* owned: HOST:PORT of the control port, seen from the gateway */
    char *known_hosts;  /* owned: the only file of host keys that ssh reads */
    char *config_file;  /* owned: -F; NULL: ssh's own */
    char *identity;     /* owned: the only key that ssh offers */
};

void leg_release(struct leg *leg);

/*
 * Each parses what a person wrote. NULL; or the problem as the predicate of a sentence ("is no
 * [USER@]HOST"), and the leg is unchanged.
 *
 * leg_add_forward: spec is [BIND:]PORT:HOST:HOSTPORT, or PORT alone, which means the same port of
 * the far host's loopback; a PORT may be a range LOW-HIGH. *ret_warning becomes a predicate to
 * show, or NULL; ret_warning itself must not be NULL.
 *
 * leg_add_ssh_option: option is "-p" and the like, value its argument or NULL. The values of -p, -i
 * and -o are checked.
 */
const char *leg_set_to(struct leg *leg, const char *to);
const char *leg_add_forward(struct leg *leg, const char *spec, const char **ret_warning);
const char *leg_add_ssh_option(struct leg *leg, const char *option, const char *value);
const char *leg_set_probe(struct leg *leg, const char *spec);
const char *leg_set_host_key(struct leg *leg, const char *fingerprint);

/* Names the user of leg->to, in place of the one that it may have. As above. */
const char *leg_set_login(struct leg *leg, const char *login);

/* Names a leg after its host, in letters, digits and . _ -; one of an ssh:// URL is called by the
 * whole URL. */
void leg_name_from_host(struct leg *leg);

/* The port number 1-65535 that text is, or 0 if it is none. */
uint16_t leg_port(const char *text);

/* How many forwards from first on are one range at both ends. */
size_t leg_range_from(const struct leg *leg, size_t first);

/* True if the two cannot listen at the same time: same port, and addresses that overlap. */
bool forward_collides(const struct forward *a, const struct forward *b);

#endif
