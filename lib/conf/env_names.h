/* SPDX-License-Identifier: ISC */
/*
 * Inside lib/conf: what the environment names of ssh-tunnel-gateway mean, be they in leased.env
 * (env_file.h) or in leased's own environment (env_own.h).
 */
#ifndef TUNLEASE_CONF_ENV_NAMES_H
#define TUNLEASE_CONF_ENV_NAMES_H

#include "lib/conf/conf.h"

struct loading;

/* Two names are one Listen: they wait here until all were read. */
struct env_ctx {
    struct loading *load;
    char host[CONF_TEXT_BYTES];
    char port[8];
    bool has_too_many_keys; /* as was reported */
};

/* Each of the names, from 0 on; NULL after the last. */
const char *env_name_at(size_t i);

/* Each adds what is wrong to the problems of ctx->load. */
void env_apply(struct env_ctx *ctx, const char *name, char *value); /* value is written to */
void env_replace_listen(struct env_ctx *ctx);

/* problem is a clause about name: "is too long" */
void env_problem(struct loading *load, const char *name, const char *problem);

#endif
