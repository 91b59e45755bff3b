/* SPDX-License-Identifier: ISC */
/*
 * The checks of files with enrolment keys, leased.env and ApiKeyFile: who could write them, and who
 * can read them. akc's user is in leased's group, and must not read them (docs/design.md 10).
 */
#ifndef TUNLEASE_CONF_KEYFILE_H
#define TUNLEASE_CONF_KEYFILE_H

#include "lib/conf/paths.h"

#include <sys/stat.h>

enum { CONF_ENV_PATH_BYTES = CONF_PATH_BYTES + 16 };

/* The path of leased.env: in the directory of conf_file (NULL: CONF_DEFAULT_FILE). */
void keyfile_env_path(const char *conf_file, char out[static CONF_ENV_PATH_BYTES]);

/* NULL, or why the content cannot be trusted, as a clause. */
const char *keyfile_trust_problem(const struct stat *st);
/* NULL, or who can read it but must not, as a clause. */
const char *keyfile_secrecy_problem(const struct stat *st);

/* What to do about it, to be printed after such a clause. */
extern const char keyfile_mend[];

#endif
