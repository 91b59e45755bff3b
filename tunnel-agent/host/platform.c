/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/host/platform.h"

#include "lib/base/clock.h"

#include <stdlib.h>
#include <unistd.h>

#ifdef __linux__

#include <signal.h>
#include <sys/prctl.h>

void platform_die_with_parent(pid_t parent)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it died before the line above */
        _exit(127);
}

void platform_keep_death_signal(void)
{
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

void platform_outlive_parent(void)
{
    (void)prctl(PR_SET_PDEATHSIG, 0);
}

int64_t platform_awake_ms(void)
{
    return clock_boot_ms();
}

char *platform_self(void)
{
    return realpath("/proc/self/exe", NULL);
}

#else

void platform_die_with_parent(pid_t parent)
{
    (void)parent;
}

void platform_keep_death_signal(void)
{
}

void platform_outlive_parent(void)
{
}

int64_t platform_awake_ms(void)
{
    return clock_now_ms();
}

char *platform_self(void)
{
    return NULL;
}

#endif
