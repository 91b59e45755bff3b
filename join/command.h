/* SPDX-License-Identifier: ISC */
/*
 * What the client asks for: the command of its ssh, which sshd hands on in SSH_ORIGINAL_COMMAND, or
 * a line of its input. Both are a stranger's. Pure.
 */
#ifndef TUNLEASE_JOIN_COMMAND_H
#define TUNLEASE_JOIN_COMMAND_H

#include "lib/wire/join.h"

#include <stdbool.h>
#include <stddef.h>

struct command {
    char code[JOIN_CODE_MAX + 1]; /* "": none was given */
    bool json;
    bool lease_only; /* --json=lease: not for a private host */
};

/*
 * Parses a command of at most JOIN_CODE_MAX bytes: `CODE`, `CODE --json`, `--json` or nothing, with
 * `--json=lease` in place of `--json`. NULL
 * and *ret; or what is wrong, as a clause. Whether CODE is one is for leased to judge. But nothing
 * that is neither a letter, a digit nor a hyphen leaves this function: a code with such a character
 * becomes one that cannot be right. text may be NULL.
 */
const char *command_parse(const char *text, struct command *ret);

/* The same for the len bytes of a line without its end, which must be a code alone. It may have a
 * NUL in it. *ret_code is written only on success. */
const char *command_parse_line(const char *line, size_t len,
                               char ret_code[static JOIN_CODE_MAX + 1]);

#endif
