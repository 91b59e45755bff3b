/* SPDX-License-Identifier: ISC */
/* Inside lib/conf: the same names in leased's own environment, which win over leased.env. */
#ifndef TUNLEASE_CONF_ENV_OWN_H
#define TUNLEASE_CONF_ENV_OWN_H

struct loading;

/* 0, or -1 with the reason in the err of in. */
int env_own_load(struct loading *in);

#endif
