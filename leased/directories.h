/* SPDX-License-Identifier: ISC */
/* The directories that leased needs: what is missing is made, with the owners and modes of
 * CONTRACT 9. */
#ifndef TUNLEASE_LEASED_DIRECTORIES_H
#define TUNLEASE_LEASED_DIRECTORIES_H

#include "lib/conf/conf.h"

enum { DIRECTORIES_PATH_BYTES = CONF_PATH_BYTES + 16 };

/* The session registry, which only root can make. 0; or -1, logged. */
int directories_make_run_dir(const struct conf *conf);

/* That of the store, and the session registry as far as we may. 0; or -1, logged. */
int directories_make(const struct conf *conf);

/* Which one the store is in. */
void directories_of_store(const struct conf *conf, char out[static DIRECTORIES_PATH_BYTES]);

#endif
