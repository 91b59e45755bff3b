/* SPDX-License-Identifier: ISC */
/*
 * Redeems an invite over ssh itself: logs in at the gateway as its join login, with the key that
 * the lease is to have, and hands the code to the program there (join(8)). The code is on ssh's
 * standard input, so ps(1) does not show it.
 *
 * A lost answer costs nothing: the same code with the same key gives the same answer for ten
 * minutes. It blocks, for redeem_terms.patience_s and one attempt: call it before a loop begins.
 */
#ifndef TUNLEASE_AGENT_GATEWAY_REDEEM_H
#define TUNLEASE_AGENT_GATEWAY_REDEEM_H

#include "lib/base/buf.h"
#include "lib/wire/joined.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct settings;
struct statedir;

#define REDEEM_LOGIN "join"
enum {
    REDEEM_PATIENCE_S = 120,   /* a usual patience_s */
    REDEEM_WRONG_WORDS = 2,    /* exit statuses of join(8): more words than it takes */
    REDEEM_NO_SUCH_INVITE = 3, /* or it is spent, or over */
    REDEEM_TERMS_REFUSED = 4,  /* the ceiling, or the address; not spent */
    REDEEM_KEY_REFUSED = 5, /* the key has a lease or is revoked, or the name is taken; not spent */
    REDEEM_NOT_NOW = 7,     /* leased cannot be reached, or a freeze holds; not spent */
    REDEEM_NOT_REACHED = 255, /* no word of join(8): ssh failed, or what it answered is of no use */
    REDEEM_SENTENCE_MAX = 4096, /* bytes of the gateway's words */
};

/* All borrowed. */
struct redeem_terms {
    const char
        *to; /* [USER@]HOST or ssh://[USER@]HOST[:PORT], as ssh takes it; USER: REDEEM_LOGIN */
    bool user_is_of_lease; /* USER of to is whom the lease is for: REDEEM_LOGIN all the same */
    const char *const
        *ssh_options; /* -p, -J, -o and the like, each value an item of its own; no -i */
    size_t ssh_option_count;
    const char *identity;    /* the file of the key: its private half; or its public half alone, if
                                the ssh agent at agent_sock has the key */
    const char *agent_sock;  /* the only ssh agent that is asked; "none"; NULL: the user's */
    const char *fingerprint; /* SHA256:... of that key, which the lease must have; NULL: any */
    const char *host_key;    /* SHA256:... of the host; NULL: as known_hosts has it */
    bool asks; /* a host that is not known is shown on the terminal, if there is one */
    bool
        lease_only; /* an invite of a private host is refused (REDEEM_KEY_REFUSED), and not spent */
    const char *code;   /* at most 64 bytes, without a line end */
    int64_t patience_s; /* how long an answer that is lost, or REDEEM_NOT_NOW, is tried again */
    const struct settings *settings;
    const struct statedir *state; /* for files that are removed again */
};

struct redeemed {
    int status; /* 0: lease is there; or one of the above; or another one of that program */
    struct joined lease;
    struct buf words; /* why not, for a person; of one or more lines; may hold anything, so escape
                         it (log_error does) */
};

/* Redeems. 0 and ret->lease, or -1 and ret->words; ret is the caller's to release either way.
 * Meanwhile it logs why it waits. */
int redeem(const struct redeem_terms *terms, struct redeemed *ret);
void redeemed_release(struct redeemed *r);

/* Logs the words, a line each, as errors. */
void redeemed_log(const struct redeemed *r);

#endif
