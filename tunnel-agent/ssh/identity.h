/* SPDX-License-Identifier: ISC */
/* The keys that ssh would offer for a leg. It runs ssh and blocks: call it inside a job. */
#ifndef TUNLEASE_AGENT_SSH_IDENTITY_H
#define TUNLEASE_AGENT_SSH_IDENTITY_H

#include "lib/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

struct leg;
struct settings;

/* Zero-initialised: none. */
struct sshidentities {
    struct buf files; /* the key files that are there, with ", " between them */
    char *first;      /* of them; owned; NULL: none */
    char *locked;     /* the first that has a passphrase and is not in the ssh agent; owned; NULL:
                         none */
    bool only_these;  /* IdentitiesOnly: keys of the ssh agent are offered only for these files */
    bool has_agent;   /* an ssh agent answers */
    size_t agent_key_count; /* that it holds */
};

/* True if file is one of the keys that ssh is configured to offer for the leg. */
bool sshidentities_has(const struct leg *leg, const struct settings *s, const char *file);

/* 0, or -1: ssh does not tell. */
int sshidentities_read(struct sshidentities *ret, const struct leg *leg, const struct settings *s);
void sshidentities_release(struct sshidentities *i);

#endif
