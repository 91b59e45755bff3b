/* SPDX-License-Identifier: ISC */
/* Inside lib/conf: what the lines of a configuration must be to each other. */
#ifndef TUNLEASE_CONF_TOGETHER_H
#define TUNLEASE_CONF_TOGETHER_H

struct conf;

/* Fills in what follows from several keywords (the ceiling's logins and control port). 0, or -1
 * and CONF_ERROR_BYTES of reason in err. */
int conf_check_together(struct conf *c, const char *file, char *err);

#endif
