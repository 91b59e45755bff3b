/* SPDX-License-Identifier: ISC */
#include "leasectl/sessions/unregistered.h"

#include "leasectl/host/account.h"
#include "leasectl/host/pam_profile.h"
#include "leasectl/sessions/pids.h"
#include "lib/base/array.h"
#include "lib/base/clock.h"
#include "lib/session/strays.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>

enum { POLL_MS = 20 };

/*
 * Scans until it is sure that there are strays, or that there are none. A session that is ending
 * runs for up to STRAY_GOING_MS after its entry is gone, and is no stray. registers: pam_tunnel is
 * in the stack. Where it is not, seeing none is not enough: a login that was just let in changes to
 * the login's uid a moment later.
 */
static enum sight scan_strays(const struct registry *r, const uid_t *uids, size_t uid_count,
                              bool registers, struct strays *s)
{
    const struct stray_logins logins = {.uids = uids, .uid_count = uid_count};
    const int64_t min_ms = registers ? STRAY_LEAVING_MS : 0;
    int64_t first_ms = 0;
    for (;;) {
        const enum sight sight = strays_scan(s, r, NULL, &logins);
        if (first_ms == 0)
            first_ms = clock_monotonic_ms();
        if (strays_sure(s, min_ms) > 0)
            return SIGHT_IS;
        if ((registers && s->count == 0) || clock_monotonic_ms() - first_ms >= STRAY_LEAVING_MS)
            return sight == SIGHT_CANNOT_TELL ? sight : SIGHT_IS_NOT;
        (void)poll(NULL, 0, POLL_MS);
    }
}

/* Returns how many of s are sure, and adds their pids. */
static size_t add_sure(const struct strays *s, int64_t min_ms, struct buf *pids)
{
    size_t count = 0;
    for (size_t i = 0; i < s->count; i++)
        if (stray_is_sure(&s->items[i], min_ms))
            pids_add(pids, count++, s->items[i].pid);
    return count;
}

enum sight sessions_find_unregistered(struct ctl *ctl, const struct registry *r, const char *login,
                                      struct buf *pids, size_t *ret_count)
{
    const bool registers = pam_profile_in_force(ctl);
    const int64_t min_ms = registers ? STRAY_LEAVING_MS : 0;
    struct strays s = {.items = NULL};
    uid_t uid;
    *ret_count = 0;
    if (!account_uid(login, &uid))
        return SIGHT_IS_NOT;
    const enum sight sight = scan_strays(r, &uid, 1, registers, &s);
    const int why = errno;
    *ret_count = add_sure(&s, min_ms, pids);
    strays_release(&s);
    errno = why;
    return *ret_count > 0 ? SIGHT_IS : sight;
}

int sessions_report_unregistered(struct ctl *ctl, const struct registry *r, const char *login)
{
    struct buf pids = {0};
    size_t count;
    int code = EXIT_DONE;
    const enum sight sight = sessions_find_unregistered(ctl, r, login, &pids, &count);
    if (count > 0)
        code =
            ctl_error(ctl, EXIT_STILL_UP,
                      "still up: %zu connection%s of login '%s' (pid%s%s), of this lease or of "
                      "others: not made through pam_tunnel, so nobody can tell; 'kill PID' ends "
                      "one, 'leasectl doctor' says why",
                      count, count == 1 ? "" : "s", login, count == 1 ? "" : "s", pids_text(&pids));
    else if (sight == SIGHT_CANNOT_TELL)
        code =
            ctl_error(ctl, EXIT_STILL_UP,
                      "cannot tell whether login '%s' has connections that were not made through "
                      "pam_tunnel: %s",
                      login, session_unseen_reason(errno));
    buf_release(&pids);
    return code;
}

struct uid_list {
    uid_t *items;
    size_t count, cap;
};

static int add_uid(void *arg, const char *login)
{
    struct uid_list *list = arg;
    uid_t uid;
    if (!account_uid(login, &uid))
        return 0;
    uid_t *items = array_grow(list->items, list->count, &list->cap, sizeof(*items), SIZE_MAX);
    if (items == NULL)
        return -1;
    list->items = items;
    list->items[list->count++] = uid;
    return 0;
}

enum sight sessions_count_unregistered(struct ctl *ctl, const struct registry *r, struct buf *pids,
                                       size_t *ret_count)
{
    struct uid_list uids = {.items = NULL};
    struct strays s = {.items = NULL};
    const bool registers = pam_profile_in_force(ctl);
    enum sight sight = SIGHT_IS_NOT;
    if (account_each(ctl->conf.tunnel_group, add_uid, &uids) != 0) {
        errno = ENOMEM;
        sight = SIGHT_CANNOT_TELL;
    } else if (uids.count > 0)
        sight = scan_strays(r, uids.items, uids.count, registers, &s);
    const int why = errno;
    *ret_count = add_sure(&s, registers ? STRAY_LEAVING_MS : 0, pids);
    strays_release(&s);
    free(uids.items);
    errno = why;
    return sight;
}
