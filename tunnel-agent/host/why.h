/* SPDX-License-Identifier: ISC */
/* The size of a sentence that tells a person why something failed. */
#ifndef TUNLEASE_AGENT_HOST_WHY_H
#define TUNLEASE_AGENT_HOST_WHY_H

enum { WHY_BYTES = 640 };

#endif
