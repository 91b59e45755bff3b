/* SPDX-License-Identifier: ISC */
/* leasectl show: one lease with everything about it. */
#include "leasectl/ctl_store.h"
#include "leasectl/show/lease.h"
#include "leasectl/verbs.h"

#include <getopt.h>

int cmd_show(struct ctl *ctl, int argc, char **argv)
{
    static const struct option none[] = {{NULL, 0, NULL, 0}};
    struct lease l = {0};
    if (ctl_option(ctl, argc, argv, none) != -1)
        return EXIT_USAGE;
    if (argc - optind != 1)
        return ctl_usage(ctl, "show takes one NAME or #NUMBER");
    int code = ctl_open_read(ctl);
    if (code == EXIT_DONE)
        code = ctl_find_lease(ctl, argv[optind], &l);
    if (code == EXIT_DONE)
        code = lease_print(ctl, &l);
    lease_release(&l);
    return code;
}
