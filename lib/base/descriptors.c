/* SPDX-License-Identifier: ISC */
#include "lib/base/descriptors.h"

#include <sys/resource.h>

/* Two for each session that a registry may have. Not more, although some machines allow a thousand
 * million: some programs close every possible descriptor before they start another program. */
enum { ENOUGH = 200000 };

void descriptors_raise_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= ENOUGH)
        return;
    limit.rlim_cur = limit.rlim_max < ENOUGH ? limit.rlim_max : ENOUGH;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}
