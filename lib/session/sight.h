/* SPDX-License-Identifier: ISC */
/*
 * The answer of one look at the system. SIGHT_IS_NOT needs evidence. What could not be looked at is
 * SIGHT_CANNOT_TELL: on that answer nothing may be ended, deleted, unlinked or reported as down.
 */
#ifndef TUNLEASE_SESSION_SIGHT_H
#define TUNLEASE_SESSION_SIGHT_H

enum sight {
    SIGHT_IS,
    SIGHT_IS_NOT,
    SIGHT_CANNOT_TELL, /* errno says why */
};

#endif
