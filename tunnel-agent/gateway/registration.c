/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/gateway/registration.h"

#include "lib/base/buf.h"
#include "lib/base/log.h"
#include "tunnel-agent/host/statedir.h"

#include <bsd/string.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEARTBEAT_DEFAULT_S = 60, HEARTBEAT_MAX_S = 3600 };

static int write_host_keys(const struct statedir *state, const struct register_answer *a)
{
    struct buf lines = {0};
    int rc = -1;
    for (size_t i = 0; i < a->host_key_count; i++)
        buf_addf(&lines, "tunlease-gateway %s\n", a->host_keys[i]);
    if (lines.failed)
        errno = ENOMEM;
    else
        rc = statedir_write(state, "known_hosts", buf_text(&lines));
    buf_release(&lines);
    return rc;
}

/* Saves the host keys of the first register alone: later answers may be anybody's. sshd itself
 * tells ssh its other keys, proven by the pinned one (UpdateHostKeys). */
static int save_host_keys(const struct statedir *state, const struct register_answer *a)
{
    return a->host_key_count > 0 && !statedir_has(state, "known_hosts") ? write_host_keys(state, a)
                                                                        : 0;
}

/*
 * USER@HOST:PORT of an answer. That of the first register is trusted, as its host keys are. A later
 * answer may name a login that the gateway's sshd refuses to everybody.
 */
static char *login_of(const struct register_answer *a)
{
    char *text = NULL;
    return asprintf(&text, "%s@%s:%u", a->ssh_user, a->ssh_host, a->ssh_port) < 0 ? NULL : text;
}

static int write_login(const struct statedir *state, const struct register_answer *a)
{
    char *login = login_of(a);
    int rc = login != NULL ? statedir_write(state, "first_login", login) : -1;
    free(login);
    return rc;
}

static int save_first_login(const struct statedir *state, const struct register_answer *a)
{
    return statedir_has(state, "first_login") ? 0 : write_login(state, a);
}

bool registration_has_first_login(const struct registration *r, const struct statedir *state)
{
    char *kept = statedir_read(state, "first_login");
    char *login = login_of(&r->answer);
    bool same = kept != NULL && login != NULL && strcmp(kept, login) == 0;
    free(kept);
    free(login);
    return same;
}

bool registration_knows_host(const struct statedir *state)
{
    return statedir_has(state, "known_hosts");
}

int registration_save_origin(const struct statedir *state, const struct register_answer *a)
{
    int rc = save_host_keys(state, a);
    return rc == 0 ? save_first_login(state, a) : rc;
}

int registration_replace_origin(const struct statedir *state, const struct register_answer *a)
{
    char *old = statedir_file(state, "known_hosts");
    int rc = 0;
    if (a->host_key_count > 0)
        rc = write_host_keys(state, a);
    else if (old == NULL || (unlink(old) != 0 && errno != ENOENT))
        rc = -1;
    free(old);
    return rc == 0 ? write_login(state, a) : rc;
}

int registration_save_answer(const struct statedir *state, const struct register_answer *a)
{
    struct buf text = {0};
    int rc = -1;
    if (register_answer_format(a, &text) == 0)
        rc = statedir_write(state, "session.json", buf_text(&text));
    else
        errno = ENOMEM;
    buf_release(&text);
    return rc;
}

void registration_read(struct registration *r, const struct statedir *state, const char *agent_id,
                       bool host_is_pinned)
{
    char *text = statedir_read(state, "session.json");
    if (text != NULL && register_answer_parse(text, strlen(text), &r->answer) == NULL &&
        strcmp(r->answer.agent_id, agent_id) == 0 &&
        (host_is_pinned || registration_knows_host(state))) {
        r->exists = true;
        if (save_first_login(state, &r->answer) != 0)
            log_warn("cannot save the login in '%s': %m", state->path);
        (void)strlcpy(r->expires_at, r->answer.lease_expires_at, sizeof(r->expires_at));
    } else {
        /* The file is another agent's, or of ssh-tunnel-gateway: only ask for its port again. */
        register_answer_release(&r->answer);
        if (text != NULL)
            r->answer.port_b = register_old_port(text, strlen(text));
    }
    free(text);
}

int64_t registration_heartbeat_interval_ms(const struct registration *r)
{
    int64_t s = r->answer.heartbeat_interval_seconds;
    if (s <= 0)
        s = HEARTBEAT_DEFAULT_S;
    return (s < HEARTBEAT_MAX_S ? s : HEARTBEAT_MAX_S) * 1000;
}

void registration_release(struct registration *r)
{
    register_answer_release(&r->answer);
}
