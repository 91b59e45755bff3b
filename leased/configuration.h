/* SPDX-License-Identifier: ISC */
/* The configuration and its enrolment keys: at the start, and anew at a reload. */
#ifndef TUNLEASE_LEASED_CONFIGURATION_H
#define TUNLEASE_LEASED_CONFIGURATION_H

struct api_keys;
struct conf;

/* Reads file (NULL: the default) and logs what it warns of. 0; or -1, logged. */
int configuration_load(const char *file, struct conf *ret, struct api_keys *ret_keys);

/* Into *conf and *keys, which hold the one in force. 0; or -1, which was logged, and both stay as
 * they are: also where the new one asks for what only a restart can do. */
int configuration_reload(const char *file, struct conf *conf, struct api_keys *keys);

#endif
