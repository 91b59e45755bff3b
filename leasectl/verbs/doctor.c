/* SPDX-License-Identifier: ISC */
/* leasectl doctor: is everything as it must be for leases to hold? */
#include "leasectl/ctl.h"
#include "leasectl/doctor/doctor.h"
#include "leasectl/verbs.h"

#include <getopt.h>
#include <unistd.h>

int cmd_doctor(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {{"quick", no_argument, NULL, 'q'}, {NULL, 0, NULL, 0}};
    bool quick = false;
    int opt;
    while ((opt = ctl_option(ctl, argc, argv, options)) != -1) {
        if (opt != 'q')
            return EXIT_USAGE;
        quick = true;
    }
    if (optind != argc)
        return ctl_usage(ctl, "doctor takes no arguments");
    if (geteuid() != 0)
        return ctl_error(ctl, EXIT_FAILED,
                         "doctor looks where only root may: sudo leasectl doctor");
    return quick ? doctor_check_quickly(ctl) : doctor_check_all(ctl);
}
