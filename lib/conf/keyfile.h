/* SPDX-License-Identifier: ISC */
/*
 * Files with keys in them, leased.env and ApiKeyFile: who may have written them, and who can read
 * them. akc's user shares leased's group and must not (docs/design.md 10).
 */
#ifndef TUNLEASE_CONF_KEYFILE_H
#define TUNLEASE_CONF_KEYFILE_H

#include "lib/conf/paths.h"

#include <sys/stat.h>

enum { CONF_ENV_PATH_BYTES = CONF_PATH_BYTES + 16 };

/* leased.env beside a configuration file (NULL: the default one). */
void keyfile_env_path(const char *conf_file, char out[static CONF_ENV_PATH_BYTES]);

/* Why what is in it cannot be believed, as a clause; or NULL. */
const char *keyfile_trust_problem(const struct stat *st);
/* Who can read it that must not, as a clause; or NULL. */
const char *keyfile_secrecy_problem(const struct stat *st);

/* What mends either, for after the clause. */
extern const char keyfile_mend[];

#endif
