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
#include "lib/session/process.h"
#include "lib/session/registry_lock.h"
#include "lib/session/registry_write.h"
#include "lib/session/run_dir.h"
#include "pam_tunnel/helper.h"
#include "pam_tunnel/other_sessions.h"

#include <arpa/inet.h>
#include <bsd/string.h>
#include <errno.h>
#include <inttypes.h>
#include <security/pam_ext.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

/* sshd itself has no time limit here (docs/sshd-facts.md 4). */
enum { OPEN_DEADLINE_MS = 1000 };

static const char data_name[] = "pam_tunnel_session";

/* What close_session needs. Passed on by pam_set_data(3), since the environment can be forged by
 * then. */
struct close_data {
    char run_dir[CONF_PATH_BYTES];
    int64_t lease_id;
    pid_t pid;
};

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

static void free_close_data(pam_handle_t *pamh, void *data, int status)
{
    (void)pamh;
    (void)status;
    free(data);
}

/* The client's address, the first word of SSH_CONNECTION, with its zone: sshd compares from= with
 * both (lib/lease/source.h). */
static int parse_source(const char *connection, char out[static SESSION_ADDRESS_BYTES])
{
    unsigned char bytes[sizeof(struct in6_addr)];
    char address[SESSION_ADDRESS_BYTES];
    size_t len = connection != NULL ? strcspn(connection, " ") : 0;
    if (len == 0 || len >= sizeof(address))
        return -1;
    memcpy(address, connection, len);
    address[len] = '\0';
    char *zone = strchr(address, '%'); /* fe80::1%eth0 */
    if (zone != NULL)
        *zone = '\0';
    if (inet_pton(AF_INET, address, bytes) != 1 && inet_pton(AF_INET6, address, bytes) != 1)
        return -1;
    (void)snprintf(out, SESSION_ADDRESS_BYTES, "%.*s", (int)len, connection);
    return 0;
}

/* ---- steps 4 to 7 of docs/design.md 3.2 ---- */

static const char *cannot_register(void)
{
    return errno == EEXIST
               ? "a session of another pid namespace, such as that of a container that shares "
                 "RunDir, is registered with the same pid; the next login will have another pid"
               : "the session cannot be registered";
}

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
            why = cannot_register();
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
    struct process self;
    const char *why = NULL;

    why = auth_info_parse(pam_getenv(o->pamh, "SSH_AUTH_INFO_0"), &key);
    if (why != NULL)
        return why;
    (void)strlcpy(o->session.fingerprint, key.fingerprint, sizeof(o->session.fingerprint));
    if (parse_source(pam_getenv(o->pamh, "SSH_CONNECTION"), o->session.source) != 0)
        return "sshd does not say where the client is";
    if (process_read(getpid(), &self) != SIGHT_IS)
        return "/proc cannot be read";
    o->session.pid = self.pid;
    o->session.start_ticks = self.start_ticks;
    o->session.since_s = clock_now_s();
    if (run_dir_open(paths->run_dir, &o->registry) != 0)
        return "there is no session registry below RunDir that only root can write, and what "
               "cannot be registered could not be revoked: 'leasectl doctor' says more";
    if (registry_add_opening(&o->registry, &o->session, o->deadline_ms) != 0)
        return cannot_register();
    o->registered = true;
    if (helper_check(o->args, o->session.login, &key, o->session.source, o->deadline_ms,
                     &o->judgement, &why) != HELPER_LEASE)
        return why;
    why = copy_judgement(o);
    return why != NULL ? why : open_under_lock(o);
}

static const char *set_close_data(const struct opening *o, const struct conf_paths *paths)
{
    struct close_data *close_data = calloc(1, sizeof(*close_data));
    if (close_data == NULL)
        return "out of memory";
    (void)strlcpy(close_data->run_dir, paths->run_dir, sizeof(close_data->run_dir));
    close_data->lease_id = o->session.lease_id;
    close_data->pid = o->session.pid;
    if (pam_set_data(o->pamh, data_name, close_data, free_close_data) != PAM_SUCCESS) {
        free(close_data);
        return "out of memory";
    }
    return NULL;
}

/*
 * A refused open_session leaves the client connected to a login whose every forward is dead
 * (docs/sshd-facts.md 1). So this ends the connection, as the last thing it does: in the monitor,
 * SIGTERM still has its default action (docs/sshd-facts.md 2).
 */
static void end_connection(const struct opening *o)
{
    if (o->args->end_refused && geteuid() == 0 && getuid() == 0 &&
        pam_getenv(o->pamh, "SSH_CONNECTION") != NULL)
        (void)kill(getpid(), SIGTERM);
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
        why = set_close_data(o, &paths);
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
        end_connection(o);
    registry_close(&o->registry);
    session_release(&o->session);
    free(o);
    return status;
}

void admit_close(pam_handle_t *pamh)
{
    const void *data = NULL;
    struct registry registry;
    int rc;
    if (pam_get_data(pamh, data_name, &data) != PAM_SUCCESS || data == NULL)
        return;
    const struct close_data *close_data = data;
    if (close_data->pid != getpid())
        return;
    do
        rc = registry_open(close_data->run_dir, false, &registry);
    while (rc != 0 && errno == EINTR);
    if (rc != 0)
        return; /* readers of the registry see that the process is gone */
    registry_remove_own(&registry, close_data->lease_id, close_data->pid);
    registry_close(&registry);
}
