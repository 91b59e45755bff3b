/* SPDX-License-Identifier: ISC */
/* Inside lib/conf: leased.env, in the syntax of systemd.exec(5), EnvironmentFile=. */
#ifndef TUNLEASE_CONF_ENV_FILE_H
#define TUNLEASE_CONF_ENV_FILE_H

struct loading;

/* The one in the directory of conf_file. What is wrong is added to the problems. */
void env_file_load(struct loading *load, const char *conf_file);

#endif
