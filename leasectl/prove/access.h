/* SPDX-License-Identifier: ISC */
/* Whether another user may read or write a file, as the kernel answers that user. */
#ifndef TUNLEASE_LEASECTL_PROVE_ACCESS_H
#define TUNLEASE_LEASECTL_PROVE_ACCESS_H

#include "lib/session/sight.h"

#include <stdbool.h>
#include <sys/types.h>

struct user {
    char name[64]; /* "": it has no name, and no groups but gid */
    uid_t uid;
    gid_t gid;
};

/* False: there is no such user. */
bool user_find(const char *name, struct user *ret);

/* mode: R_OK or W_OK. SIGHT_IS_NOT: no; also where the path is not there. SIGHT_CANNOT_TELL: it
 * could not be asked. Needs root. */
enum sight access_as(const struct user *user, const char *path, int mode);

/* The first of path and the directories above it that somebody other than root may change: ret is
 * it and how. SIGHT_IS_NOT: root alone can. SIGHT_CANNOT_TELL: path is not there. */
enum { ACCESS_TEXT_BYTES = 640 };
enum sight access_by_others(const char *path, char ret[static ACCESS_TEXT_BYTES]);

#endif
