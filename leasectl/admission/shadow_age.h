/* SPDX-License-Identifier: ISC */
/* Inside leasectl/admission: what the dates of shadow(5) mean for a login with a key. */
#ifndef TUNLEASE_LEASECTL_ADMISSION_SHADOW_AGE_H
#define TUNLEASE_LEASECTL_ADMISSION_SHADOW_AGE_H

#include "leasectl/admission/inquiry.h"

enum shadow_age {
    SHADOW_GOOD,
    SHADOW_UNREADABLE,       /* only root reads shadow(5) */
    SHADOW_MISSING,          /* the account has no entry in it, and passwd(5) says it has */
    SHADOW_EXPIRED,          /* the account */
    SHADOW_PASSWORD_DUE,     /* must be changed: PAM lets the login in, sshd forwards nothing */
    SHADOW_PASSWORD_EXPIRED, /* for so long that pam_unix refuses */
};

/* As pam_unix judges it in its account stage. */
enum shadow_age shadow_judge(const struct inquiry *i);

/* As sshd itself judges it without PAM: the account's end alone, and a day later than pam_unix. */
enum shadow_age shadow_judge_expiry(const struct inquiry *i);

/* Adds the finding for an age that refuses, and its twin for dates that are still to come. */
void shadow_add_finding(const struct inquiry *i, enum shadow_age age);
void shadow_add_dangers(const struct inquiry *i);

#endif
