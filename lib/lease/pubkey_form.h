/* SPDX-License-Identifier: ISC */
/*
 * What people send in place of the line of a .pub file. Each function returns what the text is and
 * what to do, as a sentence for who sent it; or NULL. Pure, and the texts need not end with a NUL.
 */
#ifndef TUNLEASE_LEASE_PUBKEY_FORM_H
#define TUNLEASE_LEASE_PUBKEY_FORM_H

#include <stddef.h>

/* Whatever holds a private key, in any form, also in UTF-16. */
const char *pubkey_form_private(const char *text, size_t len);

/* UTF-16, with a byte order mark or without. */
const char *pubkey_form_utf16(const char *text, size_t len);

/* Of a text without NUL that is no key: line is its first line that is none. */
const char *pubkey_form_other(const char *text, size_t len, const char *line, size_t line_bytes);

/* Of a line that begins with a key, and in which a second one begins. */
const char *pubkey_form_two(const char *line, size_t line_bytes);

#endif
