/* SPDX-License-Identifier: ISC */
/* The word CODE|@FILE|- of a command line. */
#ifndef TUNLEASE_AGENT_GATEWAY_INVITE_WORD_H
#define TUNLEASE_AGENT_GATEWAY_INVITE_WORD_H

#include "lib/lease/invite_code.h"
#include "tunnel-agent/host/why.h"

/*
 * Reads the code of an invite: word itself; or the first line of @FILE; or, for "-", one line of
 * standard input, and no byte more: the rest may be a command's. Where that is a terminal, it asks.
 * 0, or -1 with a sentence in why.
 */
int invite_word_read(const char *word, char out[static INVITE_CODE_BYTES],
                     char why[static WHY_BYTES]);

#endif
