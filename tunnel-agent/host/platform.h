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

/* In such a child: it no longer dies with its parent. */
void platform_outlive_parent(void);

/* In such a child, before it becomes a program that is set-user-ID or set-group-ID: runs that
 * without its rights, or else the kernel would not kill it. */
void platform_keep_death_signal(void);

/* Milliseconds of a clock that runs while the machine sleeps; the wall clock where there is none.
 */
int64_t platform_awake_ms(void);

/* The path of this program, for the caller to free; NULL: not known. */
char *platform_self(void);

#endif
