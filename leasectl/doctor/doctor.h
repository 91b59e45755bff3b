/* SPDX-License-Identifier: ISC */
/* The checks of leasectl doctor, with which setup ends. */
#ifndef TUNLEASE_LEASECTL_DOCTOR_DOCTOR_H
#define TUNLEASE_LEASECTL_DOCTOR_DOCTOR_H

#include "leasectl/ctl.h"

/* Runs and prints them all. EXIT_DONE, or EXIT_FAILED when one found something wrong. */
int doctor_check_all(struct ctl *ctl);

/* Runs those that start no program. EXIT_DONE only when nothing but notes was found: what cannot be
 * asked, or only warned of, is no health either. */
int doctor_check_quickly(struct ctl *ctl);

#endif
