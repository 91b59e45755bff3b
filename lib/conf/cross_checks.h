/* SPDX-License-Identifier: ISC */
/* Inside lib/conf: rules about several keywords at once. */
#ifndef TUNLEASE_CONF_CROSS_CHECKS_H
#define TUNLEASE_CONF_CROSS_CHECKS_H

struct loading;

/*
 * Fills in the ceiling's logins and control port, which follow from several keywords. Then adds
 * each broken rule to the problems. A rule is skipped if one of its keywords has an invalid value.
 */
void conf_cross_check(struct loading *load);

#endif
