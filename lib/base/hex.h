/* SPDX-License-Identifier: ISC */
/* Bytes as lower-case hexadecimal digits. */
#ifndef TUNLEASE_BASE_HEX_H
#define TUNLEASE_BASE_HEX_H

#include <stddef.h>
#include <stdint.h>

/* out has room for 2 * len digits and a NUL. */
void hex_encode(const uint8_t *bytes, size_t len, char *out);

#endif
