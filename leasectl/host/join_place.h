/* SPDX-License-Identifier: ISC */
/* What joining needs besides its account: the directory of leased's join socket, the file that
 * makes it at each boot, and the Banner. */
#ifndef TUNLEASE_LEASECTL_HOST_JOIN_PLACE_H
#define TUNLEASE_LEASECTL_HOST_JOIN_PLACE_H

#include "lib/base/buf.h"
#include "lib/conf/join_login.h"
#include "lib/session/sight.h"
#include "lib/wire/join.h"

struct conf;

/* Not in the package's own file of tmpfiles.d: there is no such group before joining is turned on,
 * and systemd-tmpfiles would complain at each boot. */
#define JOIN_TMPFILES TUNLEASE_SYSCONFDIR "/tmpfiles.d/tunlease-join.conf"
#define JOIN_TMPFILES_TEXT "d " JOIN_SOCKET_DIR " 0750 root " JOIN_GROUP " -\n"

enum { JOIN_DIR_MODE = 0750, JOIN_SOCKET_MODE = 0660 };

/* Adds the text of the Banner. */
void join_place_banner(const struct conf *conf, struct buf *out);

/* SIGHT_IS: the directory, or the socket, has the owner and mode that it should have.
 * SIGHT_IS_NOT: it has not, or is not there; what is so is added to out, as a clause.
 * SIGHT_CANNOT_TELL: with why. */
enum sight join_place_check_directory(struct buf *out);
enum sight join_place_check_socket(struct buf *out);

/* Does somebody listen on the socket? */
enum sight join_place_is_listened_on(void);

/* Makes the directory, or gives it its owner and mode. 0, or -1 with why in out. */
int join_place_make_directory(struct buf *out);

/* Removes the directory and the socket in it. 0, or -1 with why in out. */
int join_place_remove_directory(struct buf *out);

#endif
