/* SPDX-License-Identifier: ISC */
/* The checks of leasectl doctor, which setup ends with. */
#ifndef TUNLEASE_LEASECTL_DOCTOR_DOCTOR_H
#define TUNLEASE_LEASECTL_DOCTOR_DOCTOR_H

#include "leasectl/ctl.h"

/* Runs and prints them all. EXIT_DONE, or EXIT_FAILED when one found something wrong. */
int doctor_check_all(struct ctl *ctl);

#endif
