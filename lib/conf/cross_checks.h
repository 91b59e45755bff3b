/* SPDX-License-Identifier: ISC */
/* Inside lib/conf: what the lines of a configuration must be to each other. */
#ifndef TUNLEASE_CONF_CROSS_CHECKS_H
#define TUNLEASE_CONF_CROSS_CHECKS_H

struct loading;

/* Fills in what follows from several keywords (the ceiling's logins and control port), and adds to
 * the problems which rules are broken. A rule about a keyword that could not be read is left out.
 */
void conf_cross_check(struct loading *load);

#endif
