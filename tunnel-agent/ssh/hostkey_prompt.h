/* SPDX-License-Identifier: ISC */
/* Asks a person at the terminal about host keys that are not known yet. */
#ifndef TUNLEASE_AGENT_SSH_HOSTKEY_PROMPT_H
#define TUNLEASE_AGENT_SSH_HOSTKEY_PROMPT_H

#include <stddef.h>

struct leg;
struct settings;
struct statedir;

/* On a terminal: shows each unknown host key and asks once. "yes" adds it to the user's
 * known_hosts. */
void hostkey_prompt(const struct leg *legs, size_t count, const struct settings *s,
                    const struct statedir *state);

#endif
