/* SPDX-License-Identifier: ISC */
/* Hosts that a person named in an ssh configuration. */
#ifndef TUNLEASE_AGENT_SSH_ALIAS_H
#define TUNLEASE_AGENT_SSH_ALIAS_H

#include <stdbool.h>

/* Does a Host line of the file (NULL: ~/.ssh/config) name exactly this alias? Patterns do not
 * count; Include is followed. */
bool sshalias_exists(const char *file, const char *alias);

#endif
