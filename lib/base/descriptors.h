/* SPDX-License-Identifier: ISC */
/* The limit of open files of this process (getrlimit(2), RLIMIT_NOFILE). */
#ifndef TUNLEASE_BASE_DESCRIPTORS_H
#define TUNLEASE_BASE_DESCRIPTORS_H

/*
 * Raises the soft limit towards the hard one. A caller may need two descriptors for each of
 * thousands of sessions; the usual soft limit is 1024, for select(2), which no program here calls.
 * Programs that the caller starts inherit the limit.
 */
void descriptors_raise_limit(void);

#endif
