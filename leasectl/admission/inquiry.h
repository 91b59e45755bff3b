/* SPDX-License-Identifier: ISC */
/* Inside leasectl/admission: one question, and what the layers are asked with. */
#ifndef TUNLEASE_LEASECTL_ADMISSION_INQUIRY_H
#define TUNLEASE_LEASECTL_ADMISSION_INQUIRY_H

#include "leasectl/admission/question.h"
#include "leasectl/ctl.h"
#include "leasectl/host/sshd.h"
#include "leasectl/host/sshd_version.h"

#include <stddef.h>

struct lease;

struct inquiry {
    struct ctl *ctl;
    const struct admission_question *q;
    struct buf settings; /* sshd's, for this login and address; empty: they could not be read */
    bool uses_pam;       /* sshd's UsePAM */
    struct sshd_version version; /* of the sshd that has these settings */
    struct admission_answer *answer;
};

/* What mends a setting that our Match blocks set and sshd does not have. */
#define MEND_BLOCKS                                                                                \
    "leasectl setup; if a Match block stands before ours, move it behind " SSHD_DROPIN

/* sshd: who may log in, and how. */
void ask_sshd_access(struct inquiry *i);
/* sshd: is this key taken, and who says so? */
void ask_sshd_key(struct inquiry *i);
/* sshd: may this forward be opened? */
void ask_sshd_forward(struct inquiry *i);

/* What sshd itself asks of the account. PAM's part of it is asked with the PAM stacks. */
void ask_account(struct inquiry *i);

/* The stacks that sshd runs after a key was accepted. */
void ask_pam(struct inquiry *i);

/* Needs the store open. EXIT_DONE, or the exit code with the error printed. */
int ask_lease(struct inquiry *i);

/* After ask_lease, with the store closed: runs akc where the lease admits the key. */
void ask_akc(struct inquiry *i);

/* The forward as ssh sends it: `HOST:PORT`, the host without brackets. False: it has no port. */
bool inquiry_forward(const struct inquiry *i, char *host, size_t host_bytes, unsigned *ret_port);

#endif
