/* SPDX-License-Identifier: ISC */
/*
 * What only some systems can do. Elsewhere the answer is "not known", and the program works without
 * it.
 */
#ifndef TUNLEASE_AGENT_HOST_PLATFORM_H
#define TUNLEASE_AGENT_HOST_PLATFORM_H

#include <stdint.h>
#include <sys/types.h>

/* In a child, after fork(2): has the kernel kill it when its parent dies, even by SIGKILL. */
void platform_die_with_parent(pid_t parent);

/* Milliseconds of a clock that runs while the machine sleeps; the wall clock where there is none.
 */
int64_t platform_awake_ms(void);

/* To be called first. A static program would load the NSS modules of the host that it was copied
 * to, which belong to another C library; so it looks up names in files and by DNS alone. */
void platform_keep_to_own_library(void);

/* The path of this program, for the caller to free; NULL: not known. */
char *platform_self(void);

#endif
