/* SPDX-License-Identifier: ISC */
/* Inside lib/conf: the names of env_names.h in leased's own environment, which win over leased.env.
 */
#ifndef TUNLEASE_CONF_ENV_OWN_H
#define TUNLEASE_CONF_ENV_OWN_H

struct loading;

/* Adds what is wrong to the problems. Removes the keys from the environment. */
void env_own_load(struct loading *load);

#endif
