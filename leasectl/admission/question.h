/* SPDX-License-Identifier: ISC */
/* A question about a login's admission, and its answer. */
#ifndef TUNLEASE_LEASECTL_ADMISSION_QUESTION_H
#define TUNLEASE_LEASECTL_ADMISSION_QUESTION_H

#include "leasectl/admission/finding.h"
#include "lib/base/buf.h"
#include "lib/lease/name.h"
#include "lib/lease/pubkey.h"

#include <stdbool.h>

enum admission_forward { ADMISSION_NO_FORWARD, ADMISSION_OPEN, ADMISSION_LISTEN };

struct admission_question {
    const char *login;
    const struct pubkey *key; /* NULL: any key; base64 "": only its fingerprint is known */
    enum admission_forward forward;
    const char *typed; /* the forward's [HOST:]PORT, as typed for ssh */
    const char *addr;  /* of the client; NULL: not known, and sshd is asked for 127.0.0.1 */
};

struct admission_answer {
    struct admission_findings findings; /* in the order in which a login meets the layers */
    bool asked[ADMISSION_LAYER__MAX];   /* false: that layer could not be asked at all */
    char lease[LEASE_NAME_BYTES];       /* that the key holds or held; "": none is known */
    struct buf line;                    /* what akc prints for the key, when the lease admits it */
    struct buf admits;                  /* why the lease admits it, a sentence */
};

enum admission_verdict {
    ADMISSION_IS_ADMITTED, /* by all that was asked */
    ADMISSION_IS_REFUSED,
    ADMISSION_NOT_KNOWN, /* what decides could not be asked */
};

#endif
