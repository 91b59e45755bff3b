/* SPDX-License-Identifier: ISC */
/* leasectl doctor: is everything as it must be for leases to hold? */
#include "leasectl/ctl.h"
#include "leasectl/doctor/doctor.h"
#include "leasectl/verbs.h"

#include <getopt.h>
#include <unistd.h>

int cmd_doctor(struct ctl *ctl, int argc, char **argv)
{
    static const struct option none[] = {{NULL, 0, NULL, 0}};
    if (ctl_option(ctl, argc, argv, none) != -1)
        return EXIT_USAGE;
    if (optind != argc)
        return ctl_usage(ctl, "doctor takes no arguments");
    if (geteuid() != 0)
        return ctl_error(ctl, EXIT_FAILED,
                         "doctor looks where only root may: sudo leasectl doctor");
    return doctor_check_all(ctl);
}
