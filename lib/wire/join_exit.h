/* SPDX-License-Identifier: ISC */
/* What an answer to who joins says, besides its text: apart from JSON, for the engine. */
#ifndef TUNLEASE_WIRE_JOIN_EXIT_H
#define TUNLEASE_WIRE_JOIN_EXIT_H

enum { JOIN_TEXT_BYTES_MAX = 60000 }; /* of the text, before it is JSON */

/* The exit status of join, as leased decides it. */
enum join_exit {
    JOIN_JOINED = 0,
    JOIN_USAGE = 2,       /* join's own: leased never answers it */
    JOIN_NO_INVITE = 3,   /* no such code, spent or over: one answer for all */
    JOIN_CEILING = 4,     /* the ceiling is lower now, or the source is outside --from; not spent */
    JOIN_TAKEN = 5,       /* the key holds a lease or is revoked, or the name is taken; not spent */
    JOIN_UNAVAILABLE = 7, /* could not be asked, or frozen; not spent */
};

#endif
