/* SPDX-License-Identifier: ISC */
/*
 * The usage line of a verb (leasectl/verbs.c), which is its grammar: `--name VALUE` is an option
 * that takes a value, `--name` before anything else is one that takes none, and ` | VERB `
 * separates the forms of a verb, which may begin with a command of its own ("token create").
 */
#ifndef TUNLEASE_LEASECTL_USAGE_H
#define TUNLEASE_LEASECTL_USAGE_H

#include "leasectl/verbs.h"
#include "lib/base/nearest.h"

#include <stdbool.h>
#include <stdio.h>

/* Prints the forms of a verb as lines of at most 80 columns. */
void usage_print(FILE *to, const struct verb *v);

/* True if the next word of the command line belongs to this one: an option that takes a value, and
 * has none after a '='. The name may be cut, as getopt_long(3) allows. */
bool usage_takes_next_word(const struct verb *v, const char *word);

/*
 * Looks word up among the commands that v has of its own. True if it is one of them, or if a form
 * of v begins with something else, so that word can be anything. False: those that are near to word
 * are in *ret, and are borrowed from `words`.
 */
enum { USAGE_COMMANDS_MAX = 8 };
struct usage_commands {
    char words[USAGE_COMMANDS_MAX][NEAREST_WORD_BYTES + 1];
};
bool usage_has_command(const struct verb *v, const char *word, struct usage_commands *words,
                       struct nearest *ret);

/* True if v takes a word that is no option, no value of one and no command of its own: a name. */
bool usage_takes_name(const struct verb *v);

#endif
