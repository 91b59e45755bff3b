/* SPDX-License-Identifier: ISC */
/* Frama-C's string.h has strlcpy(3) already, with its contract. */
#include <string.h>
