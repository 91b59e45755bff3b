/* SPDX-License-Identifier: ISC */
/* What a line of authorized_keys says, as sshd reads it: lib/lease/authorized/line.h reads it,
 * allows.h answers questions about it. */
#ifndef TUNLEASE_LEASE_AUTHORIZED_AUTHORIZED_H
#define TUNLEASE_LEASE_AUTHORIZED_AUTHORIZED_H

#include "lib/lease/pubkey.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AUTHORIZED_LINE_BYTES = 4 * 1024 * 1024, /* sshd has no limit; a longer line is not judged */
    AUTHORIZED_PERMITS_MAX = 4097,           /* of one direction in one line: sshd's own limit */
    AUTHORIZED_ENVIRONMENT_MAX = 1025,       /* names in one line: sshd's own limit */
    AUTHORIZED_REASON_BYTES = 320,
    AUTHORIZED_TUNNEL_NONE = -1,
    AUTHORIZED_TUNNEL_ANY = -2,
};

enum authorized_kind {
    AUTHORIZED_BLANK,     /* nothing, or a comment */
    AUTHORIZED_DEAD,      /* sshd passes over it, always: see death, reason and cure */
    AUTHORIZED_KEY,       /* admits the key: see `from` and `expires_s` for where and until when */
    AUTHORIZED_AUTHORITY, /* cert-authority: admits no key, but certificates which the key signs */
    AUTHORIZED_UNREAD,    /* longer than AUTHORIZED_LINE_BYTES: what sshd makes of it is unknown */
};

/* Why a line is dead. */
enum authorized_death {
    AUTHORIZED_ALIVE,
    AUTHORIZED_OPTION,       /* an option that sshd does not know */
    AUTHORIZED_VALUE,        /* an option whose value sshd does not take */
    AUTHORIZED_TWICE,        /* command, from or principals stands twice */
    AUTHORIZED_QUOTES,       /* single, typographic, missing or unclosed quotes around a value */
    AUTHORIZED_BLANK_WITHIN, /* a blank stands among the options */
    AUTHORIZED_FROM,         /* from= matches nobody */
    AUTHORIZED_PRINCIPALS,   /* principals= without cert-authority */
    AUTHORIZED_DAMAGED,      /* the key's base64, or what is in it */
    AUTHORIZED_DSA,
    AUTHORIZED_PROTOCOL_1,
    AUTHORIZED_CERTIFICATE, /* a certificate in place of a key */
    AUTHORIZED_MARK,        /* a byte order mark stands before it */
    AUTHORIZED_NO_KEY,      /* anything else without a key */
};

/* What permitopen= or permitlisten= names. */
struct authorized_permit {
    char *text;    /* owned; the whole value as written */
    char *host;    /* owned; as written, without brackets; "*": any. permitlisten: a pattern */
    uint16_t port; /* 0: any ("*") */
    bool bare;     /* permitlisten="PORT": the host is "*" */
};

struct authorized_permits {
    struct authorized_permit *items; /* owned */
    size_t count;                    /* 0: the option is not there, which limits nothing */
    size_t room;
};

struct authorized_line {
    enum authorized_kind kind;

    /* DEAD and UNREAD: a clause, and what to do about it, another one or NULL. */
    enum authorized_death death;
    char reason[AUTHORIZED_REASON_BYTES];
    const char *cure;

    /* KEY and AUTHORITY. type and base64 are in their one spelling, so that equal keys are equal
     * texts; the comment is empty if it is too long, not UTF-8 or has control characters. */
    struct pubkey key;
    const char *key_problem; /* why no lease takes this key, though sshd does (RSA of 1024 bits);
                                NULL: pubkey_parse takes it */
    const char *key_since;   /* the first OpenSSH that knows the key's type; NULL: 9.2 does */
    const char *comment;     /* the rest of the line, without blanks at the ends, as it is: do not
                                print it unescaped. Not NULL */
    bool has_options;        /* options stand before the key; without any, all is allowed */

    /* What sshd allows by this line, as far as its configuration does. */
    bool restricted; /* `restrict` is among the options */
    bool port_forwarding, agent_forwarding, x11_forwarding, pty, user_rc;
    bool touch_required;                    /* of sk- keys: true unless no-touch-required */
    bool verify_required;                   /* of sk- keys: a PIN or a finger */
    struct authorized_permits open, listen; /* count only while port_forwarding is true */
    char *command;                          /* owned; NULL: what the client asks for */
    char *from;                             /* owned; NULL: from anywhere */
    char *principals;                       /* owned; NULL: not there */
    char **environment;                     /* owned: NAME=VALUE, first of each name */
    size_t environment_count, environment_room;
    int tunnel;         /* the device of tunnel=, AUTHORIZED_TUNNEL_ANY or AUTHORIZED_TUNNEL_NONE */
    int64_t expires_s;  /* 0: never; sshd admits up to and including this second */
    bool expires_local; /* the text had no Z: local time, without summer time */
    char *expires_text; /* owned; as written; NULL: never */
    bool forwarding_given;  /* port-forwarding is among the options, and holds */
    bool forwarding_undone; /* it is, and a later restrict or no-port-forwarding takes it back */
    bool is_authority;      /* cert-authority is among the options, also of a dead line */

    /* About the line's text. */
    bool has_nul; /* sshd reads up to the first NUL byte; so was this */
    bool has_cr;  /* ends in a carriage return; harmless behind a key */

    char *text; /* owned; comment points into it */
};

#endif
