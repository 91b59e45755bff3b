/* SPDX-License-Identifier: ISC */
/* Who sent a request: what its credential is worth, and for which agent it may speak. */
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
    CREDENTIAL_NONE,    /* none, or a wrong one */
    CREDENTIAL_ENROLS,  /* an enrolment key, or a token with a use left */
    CREDENTIAL_REPEATS, /* a token that admitted this very agent before */
    CREDENTIAL_SECRET,  /* the agent's own */
};

struct credential_verdict {
    enum credential what;
    struct token token; /* id 0: no token */
    uint8_t hash[SECRET_HASH_BYTES];
};

/* known: the agent of that name, unless it is revoked; NULL: there is none. */
enum store_rc credential_judge(const struct request_context *ctx, const struct control_request *r,
                               const struct member *known, struct credential_verdict *ret);

/* Whether it is the secret of a revoked agent. */
bool credential_is_of_revoked(const struct member *agent, const struct credential_verdict *verdict);

/*
 * Whether what came with a request speaks for an agent that is known. An enrolment key or token
 * does so as long as it would be given a new secret: the agent's public key is known to others, and
 * whoever is given a secret can shut it out with that. May fill in m's notes.
 */
enum store_rc credential_speaks_for(const struct request_context *ctx, const char *name,
                                    struct member *m, const struct credential_verdict *verdict,
                                    bool *ret);

/* known: the agent that a good enrolment key or token no longer speaks for; NULL: it is not good.
 */
enum store_rc credential_refuse(const struct request_context *ctx, const struct control_request *r,
                                const struct credential_verdict *verdict,
                                const struct member *known, struct control_answer *a);

/* From now on, as of a register that is being answered. */
enum store_rc credential_begin_reissue(const struct request_context *ctx, const char *name,
                                       struct reissue *ret);

#endif
