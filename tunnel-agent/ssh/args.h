/* SPDX-License-Identifier: ISC */
/* The command lines of the ssh that this program runs. */
#ifndef TUNLEASE_AGENT_SSH_ARGS_H
#define TUNLEASE_AGENT_SSH_ARGS_H

#include "tunnel-agent/config/leg.h"

struct settings;

enum { SSHARGS_MAX = LEG_SSH_OPTIONS_MAX + 2 * LEG_FORWARDS_MAX + 96 };

/* An argv that owns its strings. */
struct sshargs {
    char *argv[SSHARGS_MAX + 1]; /* NULL-terminated */
    size_t count;
    bool failed; /* no memory, or too many arguments: argv is empty */
};

enum sshargs_use {
    SSHARGS_TUNNEL,   /* keep the forwards open */
    SSHARGS_HOST_KEY, /* learn the host key without a login, see hostkey.h */
    SSHARGS_RESOLVE,  /* ssh -G: print the effective configuration */
    SSHARGS_COMMAND,  /* run a command there, without any forward */
};

struct sshargs_plan {
    enum sshargs_use use;
    const struct settings *settings;
    unsigned timeout_doublings;      /* how often ConnectTimeout is doubled */
    const bool *left_out;            /* forward i is left out; NULL: none is */
    const char *canary_sock;         /* a unix socket to forward to the far 127.0.0.1:1, or NULL */
    const char *mux_sock;            /* the socket where ssh listens for ssh -O, or NULL */
    const char *known_hosts;         /* the only file of host keys; NULL: the user's files */
    const char *host_key_algorithms; /* NULL: ssh's own choice */
    const char *command;             /* of SSHARGS_COMMAND; the far side may read it as it likes */
};

void sshargs_build(struct sshargs *a, const struct leg *leg, const struct sshargs_plan *plan);

/* The ssh that opens forward f alone. to is a host of the user's own configuration (config_file:
 * -F, or NULL), and the user's known_hosts apply. */
void sshargs_build_forward(struct sshargs *a, const char *to, const char *config_file,
                           const struct forward *f);
void sshargs_release(struct sshargs *a);

/* The argv for process_start and process_run. */
const char *const *sshargs_argv(const struct sshargs *a);

/* BIND:PORT:HOST:HOSTPORT, IPv6 addresses in brackets; for the caller to free. NULL: no memory. */
char *sshargs_forward(const struct forward *f);

#endif
