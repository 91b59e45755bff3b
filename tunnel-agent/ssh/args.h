/* SPDX-License-Identifier: ISC */
/* The command lines of the ssh that this program runs. */
#ifndef TUNLEASE_AGENT_SSH_ARGS_H
#define TUNLEASE_AGENT_SSH_ARGS_H

#include "tunnel-agent/config/leg.h"

struct settings;

enum { SSHARGS_MAX = LEG_SSH_OPTIONS_MAX + 2 * LEG_FORWARDS_MAX + 96 };

/* An argv whose strings are all owned. */
struct sshargs {
    char *argv[SSHARGS_MAX + 1]; /* NULL-terminated */
    size_t count;
    bool failed; /* memory ran out, or more words than it holds */
};

enum sshargs_use {
    SSHARGS_TUNNEL,   /* hold the forwards */
    SSHARGS_HOST_KEY, /* learn the host key, and log in as nobody: see hostkey.h */
    SSHARGS_RESOLVE,  /* ssh -G: what all of the configuration comes to */
};

struct sshargs_plan {
    enum sshargs_use use;
    const struct settings *settings;
    unsigned timeout_doublings;      /* ConnectTimeout is doubled so often */
    const bool *left_out;            /* of forward i, or NULL: all are held */
    const char *canary_sock;         /* a unix socket whose far end is 127.0.0.1:1, or NULL */
    const char *mux_sock;            /* where ssh -O forward is to find this one, or NULL */
    const char *known_hosts;         /* the only file of host keys, or NULL: the user's */
    const char *host_key_algorithms; /* NULL: ssh's own choice */
};

void sshargs_build(struct sshargs *a, const struct leg *leg, const struct sshargs_plan *plan);

/* Holds this forward alone, to a host of the user's own configuration (config_file: -F, or NULL),
 * which also says whose host keys count. */
void sshargs_build_forward(struct sshargs *a, const char *to, const char *config_file,
                           const struct forward *f);
void sshargs_release(struct sshargs *a);

/* For process_start and process_run. */
const char *const *sshargs_argv(const struct sshargs *a);

/* BIND:PORT:HOST:HOSTPORT with brackets where they are needed. To be freed; NULL: no memory. */
char *sshargs_forward(const struct forward *f);

#endif
