/* SPDX-License-Identifier: ISC */
/* Takes images of a disk from standard input, and lays each out in a directory. */
#ifndef TUNLEASE_TESTS_POWER_FEED_H
#define TUNLEASE_TESTS_POWER_FEED_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * An image is `COUNT\n`, then COUNT times `BYTES PATH\n` and as many bytes; a PATH that ends with a
 * slash is a directory, and comes before what is in it. Whatever an earlier image, or whoever read
 * it, left in dir goes first. The files get this group, which may read them; 0:
 * they are their owner's alone. False: there is no
 * other image. Anything that fails ends the program.
 */
bool feed_next(const char *dir, gid_t group);

#endif
