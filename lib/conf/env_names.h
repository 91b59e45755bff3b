/* SPDX-License-Identifier: ISC */
/*
 * Inside lib/conf: what the environment names of ssh-tunnel-gateway mean, in leased.env
 * (env_file.h) and in leased's own environment (env_own.h).
 */
#ifndef TUNLEASE_CONF_ENV_NAMES_H
#define TUNLEASE_CONF_ENV_NAMES_H

#include "lib/conf/conf.h"

struct loading;

/* SERVER_HOST and SERVER_PORT together are one Listen: they are stored here until all names are
 * read. */
struct env_ctx {
    struct loading *load;
    char host[CONF_TEXT_BYTES];
    char port[8];
    bool has_too_many_keys; /* and this was reported */
};

/* The name at index i, from 0; NULL after the last. */
const char *env_name_at(size_t i);

/* Sets what name stands for; other names are skipped. Modifies value. What is wrong is added to the
 * problems of ctx->load. */
void env_apply(struct env_ctx *ctx, const char *name, char *value);

/* After the last name: replaces Listen if SERVER_HOST or SERVER_PORT was set. */
void env_replace_listen(struct env_ctx *ctx);

/* Adds a problem. problem is a clause about name, as in "is too long". */
void env_problem(struct loading *load, const char *name, const char *problem);

#endif
