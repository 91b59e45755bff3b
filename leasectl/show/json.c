/* SPDX-License-Identifier: ISC */
#include "leasectl/show/json.h"

#include "lib/base/buf.h"

#include <stdio.h>

int show_json_array(const struct ctl *ctl, const struct buf *items)
{
    if (buf_text(items) == NULL)
        return ctl_error(ctl, EXIT_FAILED, "out of memory");
    (void)printf("[%s]\n", buf_text(items));
    return EXIT_DONE;
}
