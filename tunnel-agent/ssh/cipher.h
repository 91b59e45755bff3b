/* SPDX-License-Identifier: ISC */
/* The names of ssh's ciphers. It runs ssh and blocks: call it before the loop begins. */
#ifndef TUNLEASE_AGENT_SSH_CIPHER_H
#define TUNLEASE_AGENT_SSH_CIPHER_H

#include <stdbool.h>

/* True if text is the name of a cipher that `ssh -Q cipher` lists, or such names with commas. */
bool sshcipher_is(const char *text);

#endif
