/* SPDX-License-Identifier: ISC */
/* Host keys that are not known yet, shown to a person at the terminal. */
#ifndef TUNLEASE_AGENT_SSH_HOSTKEY_PROMPT_H
#define TUNLEASE_AGENT_SSH_HOSTKEY_PROMPT_H

#include <stddef.h>

struct leg;
struct settings;
struct statedir;

/* On a terminal: shows each host key that is not known yet and asks, once; "yes" adds it to the
 * user's known_hosts. */
void hostkey_prompt(const struct leg *legs, size_t count, const struct settings *s,
                    const struct statedir *state);

#endif
