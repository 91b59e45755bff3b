/* SPDX-License-Identifier: ISC */
/* A number of bytes for people, at most 6 columns wide: 512, 1.2K, 34M, 1.0G; K is 1024. Pure. */
#ifndef TUNLEASE_LEASECTL_SHOW_BYTES_H
#define TUNLEASE_LEASECTL_SHOW_BYTES_H

#include <stdint.h>

enum { BYTES_TEXT_BYTES = 24 };

void bytes_format(uint64_t bytes, char out[static BYTES_TEXT_BYTES]);

#endif
