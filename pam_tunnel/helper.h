/* SPDX-License-Identifier: ISC */
/* akc --check, in a child that runs as akc's user. */
#ifndef TUNLEASE_PAM_TUNNEL_HELPER_H
#define TUNLEASE_PAM_TUNNEL_HELPER_H

#include "pam_tunnel/args.h"

#include <stdbool.h>
#include <stdint.h>

struct auth_info;

enum { JUDGEMENT_TEXT_BYTES = 49152 };

struct judgement {
    int64_t lease_id;
    bool listens;          /* it has listen permits: one connection, the newest wins */
    unsigned max_sessions; /* 0: no limit */
    const char *name;
    const char *fingerprint;
    const char *opens, *listens_on; /* lists as lib/lease writes them */
    char text[JUDGEMENT_TEXT_BYTES];
};

enum helper_rc {
    HELPER_LEASE,     /* *ret is set */
    HELPER_NO_LEASE,  /* akc answered: the key holds no active lease */
    HELPER_COULD_NOT, /* akc was not started, took too long, or gave no usable answer */
};

/* Sets *ret with HELPER_LEASE, else *why, a clause for the log. */
enum helper_rc helper_check(const struct module_args *args, const char *login,
                            const struct auth_info *key, const char *source, int64_t deadline_ms,
                            struct judgement *ret, const char **why);

/* Parses, and changes, the line of akc --check in j->text. Returns 0, or -1: it is no such line. */
int judgement_parse(struct judgement *j);

#endif
