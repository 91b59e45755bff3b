/* SPDX-License-Identifier: ISC */
/* What --help and --version print, in lines of at most 80 columns. */
#ifndef TUNLEASE_LEASECTL_HELP_H
#define TUNLEASE_LEASECTL_HELP_H

#include "leasectl/verbs.h"

#include <stdio.h>

void help_print_all(FILE *to); /* the commands, and the options that each has */
void help_print_verb(const struct verb *v);
void help_print_version(void);

#endif
