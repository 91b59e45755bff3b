/* SPDX-License-Identifier: ISC */
#include "join/confine.h"

#include "join/system_calls.h"
#include "lib/base/descriptors.h"

#include <bsd/unistd.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { DESCRIPTORS_MAX = 16 };

void confine_self(void)
{
    static const struct {
        __rlimit_resource_t what;
        rlim_t most;
    } limits[] = {
        {RLIMIT_CORE, 0},
        {RLIMIT_NPROC, 0},
        {RLIMIT_FSIZE, 0},
        {RLIMIT_NOFILE, DESCRIPTORS_MAX},
    };
    (void)prctl(PR_SET_DUMPABLE, 0);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    closefrom(STDERR_FILENO + 1);
    descriptors_open_standard();
    (void)clearenv();
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        const struct rlimit l = {.rlim_cur = limits[i].most, .rlim_max = limits[i].most};
        (void)setrlimit(limits[i].what, &l);
    }
    system_calls_refuse(); /* last: some of what is done above, too */
}
