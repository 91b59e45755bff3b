/* SPDX-License-Identifier: ISC */
/*
 * The connection that the admin works through: the TCP connections that came in to processes above
 * ours, of which sshd's is one; without a terminal it is the only one that counts. It may run
 * through a session of a lease, as with `ssh -J pfwd@gateway admin@localhost`, or through several.
 * Whoever ends such a session ends this command, too.
 *
 * A program that lives on without its connection, such as tmux, has none above it. A way through
 * another host, and back from there, cannot be seen.
 */
#ifndef TUNLEASE_LEASECTL_SESSIONS_OWN_CONNECTION_H
#define TUNLEASE_LEASECTL_SESSIONS_OWN_CONNECTION_H

#include "leasectl/ctl.h"
#include "lib/session/session_list.h"
#include "lib/session/sight.h"
#include "lib/session/sockets.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { OWN_ANCESTORS_MAX = 32 };

struct own_connection {
    pid_t ancestors[OWN_ANCESTORS_MAX];
    size_t ancestor_count;
    struct socket_list sockets; /* the TCP connections that came in to them */
};

/*
 * Reads them; needs root. SIGHT_IS_NOT: the connection, if there is one, runs through no session:
 * its other end is on another host. SIGHT_IS: it may, which own_connection_uses tells.
 * SIGHT_CANNOT_TELL: errno says why.
 */
enum sight own_connection_read(const struct ctl *ctl, struct own_connection *ret);

/*
 * Marks those of live through which the connection runs: ret_own has live->count elements. sockets:
 * those of live (lib/session/sockets.h). SIGHT_IS: there are some. SIGHT_CANNOT_TELL: none was
 * found, but not all sockets could be seen.
 */
enum sight own_connection_uses(const struct own_connection *own, const struct session_list *live,
                               const struct socket_list *sockets, bool *ret_own);

void own_connection_release(struct own_connection *own);

#endif
