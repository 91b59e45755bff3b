/* SPDX-License-Identifier: ISC */
/* Loads the configuration and its enrolment keys, at the start and at a reload. */
#ifndef TUNLEASE_LEASED_CONFIGURATION_H
#define TUNLEASE_LEASED_CONFIGURATION_H

#include <stdbool.h>

struct api_keys;
struct conf;

/* Loads file (NULL: the default) and logs its warnings. 0; or -1, logged. */
int configuration_load(const char *file, struct conf *ret, struct api_keys *ret_keys);

/* Replaces *conf and *keys, which are in force, by what file says now. 0; or -1, logged, and both
 * are unchanged: the file has an error, or changes a keyword that only a restart can change. */
int configuration_reload(const char *file, struct conf *conf, struct api_keys *keys);

/* Whether JoinLogin is an account that may be it (lib/conf/join_login.h), or not set. False:
 * logged. No reason not to start: akc admits nobody there, and leases are served. */
bool configuration_check_join(const struct conf *conf);

#endif
