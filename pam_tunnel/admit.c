/* SPDX-License-Identifier: ISC */
/*
 * The session stage in sshd: after it the connection is in the registry, or it is ended.
 *
 * Entry first, check second (docs/design.md 3.2). Whoever commits a revocation after the check
 * finds the entry; whoever commits it before is seen by the check. There is no moment in which
 * neither holds.
 */
#include "pam_tunnel/admit.h"

#include "lib/base/clock.h"
#include "lib/conf/paths.h"
#include "lib/session/auth_info.h"
#include "lib/session/narrowed.h"
#include "lib/session/registry_lock.h"
#include "lib/session/registry_write.h"
#include "lib/session/run_dir.h"
#include "pam_tunnel/connection.h"
#include "pam_tunnel/helper.h"
#include "pam_tunnel/other_sessions.h"

#include <bsd/string.h>
#include <errno.h>
#include <inttypes.h>
#include <security/pam_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

struct opening {
    pam_handle_t *pamh;
    const struct module_args *args;
    struct registry registry;
    struct session session;
    struct judgement judgement;
    int64_t deadline_ms;
    bool registered;
    bool was_logged; /* this refusal was logged before */
};

/* ---- steps 4 to 7 of docs/design.md 3.2 ---- */

/* Returns NULL: the session is open in the registry; else why it is refused. */
static const char *open_under_lock(struct opening *o)
{
    const struct newcomer newcomer = {.pamh = o->pamh,
                                      .registry = &o->registry,
                                      .session = &o->session,
                                      .deadline_ms = o->deadline_ms};
    const char *why = NULL;
    /* Newcomers to a lease without limits need not exclude one another. */
    bool is_limited = o->judgement.listens || o->judgement.max_sessions != 0;
    int lock = is_limited ? registry_lock(&o->registry, o->session.lease_id, o->deadline_ms)
                          : registry_lock_shared(&o->registry, o->session.lease_id, o->deadline_ms);
    if (lock < 0)
        return errno == ETIMEDOUT ? "another login with this lease takes too long"
                                  : "the lease's lock cannot be made in RunDir/lock";
    if (narrowed_or_unknown_since(&o->registry, o->session.lease_id, o->session.start_ticks))
        why = "the lease was narrowed while this login was on its way; the next one is let in";
    else if (o->judgement.listens)
        why = other_sessions_end(&newcomer, lock, &o->was_logged);
    else if (o->judgement.max_sessions != 0)
        why = other_sessions_check_limit(&newcomer, o->judgement.max_sessions);
    if (why == NULL && clock_monotonic_ms() >= o->deadline_ms)
        why = "opening the session took longer than a second";
    if (why == NULL) {
        o->session.open = true;
        if (registry_open_session(&o->registry, &o->session) != 0)
            why = connection_cannot_register();
    }
    (void)close(lock);
    return why;
}

/* ---- steps 1 to 3 ---- */

static int copy_text(const char *from, char **to)
{
    *to = strdup(from);
    return *to != NULL ? 0 : -1;
}

static const char *copy_judgement(struct opening *o)
{
    struct session *s = &o->session;
    const struct judgement *j = &o->judgement;
    s->lease_id = j->lease_id;
    if (strlcpy(s->lease, j->name, sizeof(s->lease)) >= sizeof(s->lease))
        return "the lease's name is too long";
    if (j->opens != NULL && j->listens_on != NULL &&
        (copy_text(j->opens, &s->opens) != 0 || copy_text(j->listens_on, &s->listens) != 0))
        return "out of memory";
    return NULL;
}

/* Returns NULL: the session is registered, and may open; else why it is refused. */
static const char *admit(struct opening *o, const struct conf_paths *paths)
{
    struct auth_info key;
    const char *why = connection_read(o->pamh, &o->session, &key);
    if (why != NULL)
        return why;
    if (run_dir_open(paths->run_dir, &o->registry) != 0)
        return "there is no session registry below RunDir that only root can write, and what "
               "cannot be registered could not be revoked: 'leasectl doctor' says more";
    if (registry_add_opening(&o->registry, &o->session, o->deadline_ms) != 0)
        return connection_cannot_register();
    o->registered = true;
    if (helper_check(o->args, o->session.login, &key, o->session.source, o->deadline_ms,
                     &o->judgement, &why) != HELPER_LEASE)
        return why;
    why = copy_judgement(o);
    return why != NULL ? why : open_under_lock(o);
}

int admit_open(pam_handle_t *pamh, const struct module_args *args, const struct tunnel_login *login)
{
    struct conf_paths paths;
    int status = PAM_PERM_DENIED;
    /* Not on the stack of the host program: it has struct judgement in it, which is large. */
    struct opening *o = calloc(1, sizeof(*o));
    if (o == NULL)
        return PAM_PERM_DENIED;
    o->pamh = pamh;
    o->args = args;
    o->registry = REGISTRY_CLOSED;
    o->session.uid = login->uid;
    o->deadline_ms = clock_monotonic_ms() + OPEN_DEADLINE_MS;

    const char *why = conf_paths_load(args->conf_file, &paths);
    if (why == NULL && strlcpy(o->session.login, login->name, sizeof(o->session.login)) >=
                           sizeof(o->session.login))
        why = "the login's name is too long";
    if (why == NULL)
        why = admit(o, &paths);
    if (why == NULL)
        why = connection_remember(pamh, paths.run_dir, o->session.lease_id, o->session.pid);
    if (why == NULL) {
        status = PAM_SUCCESS;
        pam_syslog(pamh, LOG_INFO, "opened login=%s lease=%s key=%s source=%s", o->session.login,
                   o->session.lease, o->session.fingerprint, o->session.source);
    } else if (!o->was_logged) {
        pam_syslog(pamh, LOG_NOTICE, "refused login=%s key=%s source=%s: %s", login->name,
                   o->session.fingerprint, o->session.source, why);
    }
    if (status != PAM_SUCCESS && o->registered)
        registry_remove_own(&o->registry, o->session.lease_id, o->session.pid);
    if (status != PAM_SUCCESS)
        connection_end(pamh, args);
    registry_close(&o->registry);
    session_release(&o->session);
    free(o);
    return status;
}
