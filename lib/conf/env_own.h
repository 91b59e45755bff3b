/* SPDX-License-Identifier: ISC */
/* Inside lib/conf: the same names in leased's own environment, which win over leased.env. */
#ifndef TUNLEASE_CONF_ENV_OWN_H
#define TUNLEASE_CONF_ENV_OWN_H

struct loading;

/* What is wrong is added to the problems. */
void env_own_load(struct loading *load);

#endif
