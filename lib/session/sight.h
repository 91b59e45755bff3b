/* SPDX-License-Identifier: ISC */
/*
 * An answer about what is. "It is not" is said on evidence only: what could not be looked at is
 * neither there nor gone, and nobody may end, delete, unlink or call down anything on it.
 */
#ifndef TUNLEASE_SESSION_SIGHT_H
#define TUNLEASE_SESSION_SIGHT_H

enum sight {
    SIGHT_IS,
    SIGHT_IS_NOT,
    SIGHT_CANNOT_TELL, /* errno says why */
};

#endif
