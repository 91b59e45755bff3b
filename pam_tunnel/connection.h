/* SPDX-License-Identifier: ISC */
/* The connection that this process, sshd's monitor, serves: what sshd says of it, its entry in a
 * registry, and its end. */
#ifndef TUNLEASE_PAM_TUNNEL_CONNECTION_H
#define TUNLEASE_PAM_TUNNEL_CONNECTION_H

#include "lib/session/session.h"
#include "pam_tunnel/args.h"

#include <security/pam_modules.h>
#include <stdint.h>

/* For all of open_session: sshd itself has no time limit there (docs/sshd-facts.md 4). */
enum { OPEN_DEADLINE_MS = 1000 };

struct auth_info;

/* Sets key, and what sshd and /proc say of the connection: fingerprint, source, pid, start and
 * since_s. Returns NULL, or why no session can be opened for it. */
const char *connection_read(pam_handle_t *pamh, struct session *s, struct auth_info *key);

/* Why registry_add_opening or registry_open_session failed, by errno. */
const char *connection_cannot_register(void);

/* Keeps what close_session needs, by pam_set_data(3), since the environment can be forged by then.
 * registry_dir: RunDir, or RunDir/join. Returns NULL, or why not. */
const char *connection_remember(pam_handle_t *pamh, const char *registry_dir, int64_t lease_id,
                                pid_t pid);

/* Removes the entry of what connection_remember kept. May be called again. */
void connection_forget(pam_handle_t *pamh);

/*
 * A refused open_session leaves the client connected to a login whose every forward is dead
 * (docs/sshd-facts.md 1). So this ends the connection, as the last thing it does: in the monitor,
 * SIGTERM still has its default action (docs/sshd-facts.md 2). May not return.
 */
void connection_end(pam_handle_t *pamh, const struct module_args *args);

#endif
