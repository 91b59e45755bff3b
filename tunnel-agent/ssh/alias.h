/* SPDX-License-Identifier: ISC */
/* Looks for a Host in an ssh configuration. */
#ifndef TUNLEASE_AGENT_SSH_ALIAS_H
#define TUNLEASE_AGENT_SSH_ALIAS_H

#include <stdbool.h>

/* True if a Host line of the file (NULL: ~/.ssh/config), or of one it includes, has exactly this
 * alias. Patterns do not count. */
bool sshalias_exists(const char *file, const char *alias);

#endif
