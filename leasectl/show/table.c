/* SPDX-License-Identifier: ISC */
#include "leasectl/show/table.h"

int table_show(const struct ctl *ctl, const struct table *t)
{
    if (table_print(t, ctl->terminal) != 0)
        return ctl_error(ctl, EXIT_FAILED, "out of memory");
    return EXIT_DONE;
}
