/* SPDX-License-Identifier: ISC */
/* Makes the directories that leased needs, if they are missing, with the owners and modes of
 * docs/design.md 10. */
#ifndef TUNLEASE_LEASED_DIRECTORIES_H
#define TUNLEASE_LEASED_DIRECTORIES_H

#include "lib/conf/conf.h"

enum { DIRECTORIES_PATH_BYTES = CONF_PATH_BYTES + 16 };

/* Makes the session registry, which only root can. 0; or -1, logged. */
int directories_make_run_dir(const struct conf *conf);

/* Makes the store's directory, and the session registry if we may. 0; or -1, logged. */
int directories_make(const struct conf *conf);

/* Copies the path of the store's directory to out. */
void directories_of_store(const struct conf *conf, char out[static DIRECTORIES_PATH_BYTES]);

#endif
