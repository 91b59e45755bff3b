/* SPDX-License-Identifier: ISC */
/* The patterns of ssh_config(5), PATTERNS, as sshd compares them. Pure. */
#ifndef TUNLEASE_BASE_PATTERN_H
#define TUNLEASE_BASE_PATTERN_H

#include <stdbool.h>

/* `*` and `?`; capital letters differ from small ones, and `!` is a letter. */
bool pattern_matches(const char *text, const char *pattern);

#endif
