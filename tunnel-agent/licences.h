/* SPDX-License-Identifier: ISC */
/* The licences of what this file consists of: whoever passes a static one on has nothing else
 * beside it. */
#ifndef TUNLEASE_AGENT_LICENCES_H
#define TUNLEASE_AGENT_LICENCES_H

/* To stdout: ours, and of a static file those of all its parts. */
void licences_print(void);

/* The names and versions of the parts of a static file, else "". */
const char *licences_parts(void);

#endif
