/* SPDX-License-Identifier: ISC */
#include "leased/watch/unregistered.h"

#include "leased/watch/sessions.h"
#include "leased/watch/timer.h"
#include "lib/conf/conf.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>

void unregistered_find_logins(struct unregistered *u, const struct conf *conf)
{
    const struct group *gr = getgrnam(conf->tunnel_group);
    const bool has_group = gr != NULL;
    const gid_t gid = has_group ? gr->gr_gid : 0;
    size_t members = 0, count = 0;
    while (has_group && gr->gr_mem[members] != NULL)
        members++;
    uid_t *uids = calloc(members + 2, sizeof(*uids));
    if (uids == NULL)
        return;
    for (size_t i = 0; i < members + 2; i++) {
        const char *name = i < members    ? gr->gr_mem[i]
                           : i == members ? conf->forward_login
                                          : conf->agent_login;
        const struct passwd *pw = getpwnam(name);
        if (pw != NULL)
            uids[count++] = pw->pw_uid;
    }
    free(u->login_uids);
    u->login_uids = uids;
    u->logins = (struct stray_logins){
        .uids = uids, .uid_count = count, .has_gid = has_group && gid != 0, .gid = gid};
}

bool unregistered_is_login(const struct unregistered *u, uid_t uid)
{
    if (uid == 0)
        return false;
    for (size_t i = 0; i < u->logins.uid_count; i++)
        if (u->logins.uids[i] == uid)
            return true;
    const struct passwd *pw = u->logins.has_gid ? getpwuid(uid) : NULL;
    return pw != NULL && pw->pw_gid == u->logins.gid;
}

/* A process that a single scan finds may be that of a session that is just ending. So if a scan
 * finds any, a second one follows by itself. */
static void scan(struct unregistered *u)
{
    u->sight = u->sessions->has_registry ? strays_scan(&u->strays, &u->sessions->registry,
                                                       &u->sessions->judged, &u->logins)
                                         : SIGHT_CANNOT_TELL;
    if (u->strays.count > strays_sure(&u->strays, STRAY_LEAVING_MS))
        timer_arm(u->on_rescan, STRAY_LEAVING_MS + 100);
}

static void on_rescan(evutil_socket_t fd, short what, void *arg)
{
    struct unregistered *u = arg;
    (void)fd;
    (void)what;
    scan(u);
    u->is_unreported = true;
    u->rescans++;
}

int64_t unregistered_count(struct unregistered *u)
{
    if (!u->is_unreported)
        scan(u);
    u->is_unreported = false;
    const size_t sure = strays_sure(&u->strays, STRAY_LEAVING_MS);
    return sure == 0 && u->sight == SIGHT_CANNOT_TELL ? -1 : (int64_t)sure;
}

int unregistered_start(struct unregistered *u, struct event_base *base,
                       const struct sessions *sessions)
{
    *u = (struct unregistered){.sessions = sessions, .on_rescan = evtimer_new(base, on_rescan, u)};
    return u->on_rescan != NULL ? 0 : -1;
}
