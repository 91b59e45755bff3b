/* SPDX-License-Identifier: ISC */
/* The key of an authorized_keys line, as sshd reads it: more spellings than pubkey_parse takes are
 * one key here. Pure. */
#ifndef TUNLEASE_LEASE_AUTHORIZED_KEY_H
#define TUNLEASE_LEASE_AUTHORIZED_KEY_H

#include "lib/lease/pubkey.h"

enum authorized_key_rc {
    AUTHORIZED_KEY_OK,
    AUTHORIZED_KEY_NONE,        /* no `TYPE BASE64` with a type that sshd knows */
    AUTHORIZED_KEY_DAMAGED,     /* a type that sshd knows, and no key of it */
    AUTHORIZED_KEY_DSA,         /* a type that sshd knows and does not accept */
    AUTHORIZED_KEY_CERTIFICATE, /* not a plain key */
    AUTHORIZED_KEY_MEMORY,      /* out of memory */
};

struct authorized_key {
    struct pubkey key;   /* in its one spelling; without the comment */
    const char *problem; /* why pubkey_parse refuses it, or NULL */
    const char *since;   /* the first OpenSSH that knows its type; NULL: 9.2 does */
    const char *damage;  /* AUTHORIZED_KEY_DAMAGED: a clause */
};

/* Reads `TYPE BASE64` at *at and moves *at to what is behind it, without blanks. With any other
 * result than AUTHORIZED_KEY_OK *at stays. */
enum authorized_key_rc authorized_key_read(const char **at, struct authorized_key *ret);

#endif
