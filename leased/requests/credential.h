/* SPDX-License-Identifier: ISC */
/* What the credential of a request is worth, and for which agent it speaks. */
#ifndef TUNLEASE_LEASED_REQUESTS_CREDENTIAL_H
#define TUNLEASE_LEASED_REQUESTS_CREDENTIAL_H

#include "lib/base/secret.h"
#include "lib/store/tokens.h"
#include "lib/wire/control.h"

#include <stdbool.h>
#include <stdint.h>

struct member;
struct reissue;
struct request_context;

enum credential {
    CREDENTIAL_NONE,    /* no credential, or a wrong one */
    CREDENTIAL_ENROLS,  /* an enrolment key, or a token with uses left */
    CREDENTIAL_REPEATS, /* a token that admitted this same agent before */
    CREDENTIAL_SECRET,  /* the agent's own secret */
};

struct credential_verdict {
    enum credential what;
    struct token token; /* id 0: it is no token */
    uint8_t hash[SECRET_HASH_BYTES];
};

/* known: the agent of that name, if it is not revoked; NULL: there is none. */
enum store_rc credential_judge(const struct request_context *ctx, const struct control_request *r,
                               const struct member *known, struct credential_verdict *ret);

/* Whether the credential is the secret of this agent, which is revoked. */
bool credential_is_of_revoked(const struct member *agent, const struct credential_verdict *verdict);

/*
 * Whether the credential speaks for an agent that is known. An enrolment key or token does so only
 * as long as the agent may be given a new secret: others know its public key, and whoever is given
 * a secret can lock the agent out. May fill in m's notes.
 */
enum store_rc credential_speaks_for(const struct request_context *ctx, const char *name,
                                    struct member *m, const struct credential_verdict *verdict,
                                    bool *ret);

/* Refuses. known: the agent that a valid enrolment key or token no longer speaks for; NULL: the
 * credential is not valid. */
enum store_rc credential_refuse(const struct request_context *ctx, const struct control_request *r,
                                const struct credential_verdict *verdict,
                                const struct member *known, struct control_answer *a);

/* Starts the time in which the agent may be given a new secret, for a register that is being
 * answered. */
enum store_rc credential_begin_reissue(const struct request_context *ctx, const char *name,
                                       struct reissue *ret);

#endif
