/* SPDX-License-Identifier: ISC */
/* Inside leasectl/admission: the conditions of pam_succeed_if(8) for a login through sshd. */
#ifndef TUNLEASE_LEASECTL_ADMISSION_PAM_SUCCEED_IF_H
#define TUNLEASE_LEASECTL_ADMISSION_PAM_SUCCEED_IF_H

#include "lib/session/sight.h"

/* Do all conditions hold? SIGHT_CANNOT_TELL: one asks for what is not asked here. */
enum sight succeed_if_judge(const char *args, const char *service, const char *login);

#endif
