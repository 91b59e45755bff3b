/* SPDX-License-Identifier: ISC */
/* How many files this process may have open (getrlimit(2), RLIMIT_NOFILE). */
#ifndef TUNLEASE_BASE_DESCRIPTORS_H
#define TUNLEASE_BASE_DESCRIPTORS_H

/* As many as are allowed, for who may want two for each of thousands of sessions: the soft limit is
 * the 1024 that select(2) can count, which nothing here uses. Programs that it starts get the same.
 */
void descriptors_raise_limit(void);

#endif
