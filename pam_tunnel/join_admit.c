/* SPDX-License-Identifier: ISC */
/*
 * Any key may come here while an invite is open, so the number of connections has a limit, and a
 * lower one for each source: a stranger must not keep the others out. Where the places are taken,
 * one whose code was judged wrong gives way to the newcomer, and where somebody with many addresses
 * has taken all with connections that nobody could judge yet, the oldest does, but not at once:
 * those who are about to be judged would be ended by each other, faster than any is done. They are
 * counted and registered under one lock, so that two at once do not both take the last place.
 */
#include "pam_tunnel/join_admit.h"

#include "lib/base/clock.h"
#include "lib/conf/paths.h"
#include "lib/session/auth_info.h"
#include "lib/session/join_session.h"
#include "lib/session/ladder.h"
#include "lib/session/registry_lock.h"
#include "lib/session/registry_remove.h"
#include "lib/session/registry_write.h"
#include "lib/session/run_dir.h"
#include "pam_tunnel/connection.h"

#include <bsd/string.h>
#include <errno.h>
#include <poll.h>
#include <security/pam_ext.h>
#include <stdio.h>
#include <syslog.h>
#include <unistd.h>

enum {
    PLACE_WAIT_MS = 500, /* for one of those that hold the places to be judged, or to go */
    PLACE_LOOK_MS = 100,
};

/* Ends the connection that leaves, if there is one. Returns NULL: it has left; else why not. */
static const char *end_leaving(pam_handle_t *pamh, const struct registry *r,
                               const struct session_list *leaves, bool is_refused,
                               int64_t deadline_ms, const char *no_room)
{
    enum ladder_state state = LADDER_IN_PROGRESS;
    if (leaves->count != 1)
        return no_room;
    if (ladder_end_all(leaves, deadline_ms, &state) != 0)
        return "all places are taken, and the join connection that gives way could not be ended in "
               "time";
    const struct session *s = &leaves->items[0];
    registry_remove_ended(r, s, true, deadline_ms);
    pam_syslog(pamh, LOG_NOTICE,
               "ended to make room login=%s key=%s source=%s pid=%d: all places were taken%s",
               s->login, s->fingerprint, s->source, (int)s->pid,
               is_refused ? ", and its code was wrong" : "");
    return NULL;
}

/* Returns NULL: the connection is registered; else why it is refused. *ret_wait: because none of
 * those that hold the places has been judged; until patient_until_ms none of them is ended. */
static const char *register_under_lock(pam_handle_t *pamh, const struct registry *r,
                                       const struct session *s, int64_t patient_until_ms,
                                       int64_t deadline_ms, bool *ret_wait)
{
    struct session_list leaves = {.items = NULL};
    const char *why = NULL;
    bool is_refused = false;
    *ret_wait = false;
    int lock = registry_lock(r, JOIN_SESSION_ID, deadline_ms);
    if (lock < 0)
        return errno == ETIMEDOUT ? "another join connection takes too long to open"
                                  : "the lock cannot be made in RunDir/join/lock";
    switch (join_session_has_room(r, s->source, deadline_ms, &leaves, &is_refused, &why)) {
    case SIGHT_IS:
        why = NULL;
        break;
    case SIGHT_IS_NOT: /* why is set */
        *ret_wait = leaves.count == 1 && !is_refused && clock_monotonic_ms() < patient_until_ms;
        if (!*ret_wait)
            why = end_leaving(pamh, r, &leaves, is_refused, deadline_ms, why);
        break;
    case SIGHT_CANNOT_TELL:
        why = errno == ETIMEDOUT ? "the join connections could not be counted in time"
                                 : "the join connections cannot be counted";
        break;
    }
    if (why == NULL && clock_monotonic_ms() >= deadline_ms)
        why = "opening the session took longer than a second";
    if (why == NULL && registry_open_session(r, s) != 0)
        why = connection_cannot_register();
    (void)close(lock);
    session_list_release(&leaves);
    return why;
}

static const char *register_patiently(pam_handle_t *pamh, const struct registry *r,
                                      const struct session *s, int64_t deadline_ms)
{
    const int64_t patient_until_ms = clock_monotonic_ms() + PLACE_WAIT_MS;
    bool wait = false;
    const char *why = NULL;
    while ((why = register_under_lock(pamh, r, s, patient_until_ms, deadline_ms, &wait)) != NULL &&
           wait)
        (void)poll(NULL, 0, PLACE_LOOK_MS);
    return why;
}

/* Returns NULL: the connection is registered in RunDir/join, and will be removed; else why it is
 * refused. */
static const char *admit(pam_handle_t *pamh, const char *run_dir, struct session *s,
                         int64_t deadline_ms)
{
    char join_dir[CONF_PATH_BYTES];
    struct auth_info key;
    struct registry r;
    const char *why = connection_read(pamh, s, &key);
    if (why != NULL)
        return why;
    if (snprintf(join_dir, sizeof(join_dir), "%s/" JOIN_DIRECTORY, run_dir) >=
        (int)sizeof(join_dir))
        return "RunDir is too long a path";
    if (join_registry_open(run_dir, true, &r) != 0)
        return "there is no registry below RunDir/join that only root can write, and leased could "
               "not end what is not registered: 'leasectl doctor' says more";
    why = register_patiently(pamh, &r, s, deadline_ms);
    if (why == NULL) {
        why = connection_remember(pamh, join_dir, JOIN_SESSION_ID, s->pid);
        if (why != NULL)
            registry_remove_own(&r, JOIN_SESSION_ID, s->pid);
    }
    registry_close(&r);
    return why;
}

int join_admit(pam_handle_t *pamh, const struct module_args *args, const struct tunnel_login *login)
{
    struct conf_paths paths;
    struct session s = {
        .uid = login->uid, .open = true, .lease_id = JOIN_SESSION_ID, .lease = JOIN_SESSION_LEASE};
    int64_t deadline_ms = clock_monotonic_ms() + OPEN_DEADLINE_MS;

    const char *why = conf_paths_load(args->conf_file, &paths);
    if (why == NULL && strlcpy(s.login, login->name, sizeof(s.login)) >= sizeof(s.login))
        why = "the login's name is too long";
    if (why == NULL)
        why = admit(pamh, paths.run_dir, &s, deadline_ms);
    if (why == NULL) {
        pam_syslog(pamh, LOG_INFO, "opened to join login=%s key=%s source=%s", s.login,
                   s.fingerprint, s.source);
        return PAM_SUCCESS;
    }
    pam_syslog(pamh, LOG_NOTICE, "refused login=%s key=%s source=%s: %s", login->name,
               s.fingerprint, s.source, why);
    connection_end(pamh, args);
    return PAM_PERM_DENIED;
}
