/* SPDX-License-Identifier: ISC */
/* Asks OpenSSH about many keys at once. */
#ifndef TUNLEASE_LEASECTL_MOVING_KEYS_H
#define TUNLEASE_LEASECTL_MOVING_KEYS_H

#include "leasectl/moving/move.h"

#include <stddef.h>

/* Makes those of the moves MOVE_DEAD whose key ssh-keygen does not take, as leasectl/lease/key.h
 * says of one. EXIT_DONE, or the exit code with the error printed. */
int moves_check_keys(struct ctl *ctl, struct move *moves, size_t count);

#endif
