/* SPDX-License-Identifier: ISC */
#include "lib/base/descriptors.h"

#include <sys/resource.h>

/* Twice the sessions that a registry may have. Some machines allow a thousand million, and there
 * are programs that go through all of them when they start another one. */
enum { ENOUGH = 200000 };

void descriptors_raise_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= ENOUGH)
        return;
    limit.rlim_cur = limit.rlim_max < ENOUGH ? limit.rlim_max : ENOUGH;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}
