/* SPDX-License-Identifier: ISC */
/* Inside lib/conf: reads leased.env, which has the syntax of EnvironmentFile= in systemd.exec(5).
 */
#ifndef TUNLEASE_CONF_ENV_FILE_H
#define TUNLEASE_CONF_ENV_FILE_H

struct loading;

/* Loads leased.env from the directory of conf_file, if it is there, and adds what is wrong with it
 * to the problems. */
void env_file_load(struct loading *load, const char *conf_file);

#endif
