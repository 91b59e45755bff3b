/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/host/platform.h"

#include "lib/base/clock.h"

#include <stdlib.h>
#include <unistd.h>

#if defined(TUNNEL_AGENT_STATIC) && defined(__GLIBC__)

#include <nss.h>

void platform_keep_to_own_library(void)
{
    (void)__nss_configure_lookup("hosts", "files dns");
    (void)__nss_configure_lookup("services", "files");
    (void)__nss_configure_lookup("passwd", "files");
}

#else

void platform_keep_to_own_library(void)
{
}

#endif

#ifdef __linux__

#include <signal.h>
#include <sys/prctl.h>

void platform_die_with_parent(pid_t parent)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it died before the line above */
        _exit(127);
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

int64_t platform_awake_ms(void)
{
    return clock_now_ms();
}

char *platform_self(void)
{
    return NULL;
}

#endif
