/* SPDX-License-Identifier: ISC */
/*
 * The code of an invite, which a person reads, types or pastes: 80 random bits as 16 letters and
 * digits in four groups, KQ7P-3XMA-9TRE-WZ2H. The letters are 2-9 and A-Z without I and O, so that
 * none looks like another. Pure, but for the random bits.
 */
#ifndef TUNLEASE_LEASE_INVITE_CODE_H
#define TUNLEASE_LEASE_INVITE_CODE_H

enum { INVITE_CODE_BYTES = 20 }; /* XXXX-XXXX-XXXX-XXXX and the NUL */

void invite_code_make(char out[static INVITE_CODE_BYTES]);

/*
 * Case and hyphens are ignored. NULL, and out as above, whose secret_hash the store keeps; or why
 * text is no code, as a clause ("has a letter that no code has"). The clause never quotes the text.
 */
const char *invite_code_parse(const char *text, char out[static INVITE_CODE_BYTES]);

#endif
