/* SPDX-License-Identifier: ISC */
/*
 * All that only some systems have. Where one has it not, the answer is "not known" and the program
 * works without it.
 */
#ifndef TUNLEASE_AGENT_HOST_PLATFORM_H
#define TUNLEASE_AGENT_HOST_PLATFORM_H

#include <stdint.h>
#include <sys/types.h>

/* In a child, after fork: it is killed when its parent dies, however that dies. */
void platform_die_with_parent(pid_t parent);

/* Milliseconds that go on while the machine sleeps; elsewhere the wall clock's. */
int64_t platform_awake_ms(void);

/* The path of this program, or NULL when not known. To be freed. */
char *platform_self(void);

#endif
