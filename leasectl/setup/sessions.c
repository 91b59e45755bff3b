/* SPDX-License-Identifier: ISC */
/* What becomes of live tunnels when setup is undone: sshd and PAM forget them, so they are ended.
 */
#include "leasectl/host/account.h"
#include "leasectl/sessions/ending.h"
#include "leasectl/sessions/registry.h"
#include "leasectl/sessions/unregistered.h"
#include "leasectl/setup/say.h"
#include "leasectl/setup/steps.h"
#include "lib/base/clock.h"
#include "lib/session/registry_read.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

enum {
    OPENING_MS = 1500, /* how long pam_tunnel judges a login: its second, and some more */
    POLL_MS = 50,
};

static int read_sessions(struct ctl *ctl, struct registry *r, struct session_list *ret)
{
    if (registry_read(r, 0, ret) == 0)
        return EXIT_DONE;
    return ctl_error(ctl, EXIT_FAILED, "cannot read the session registry '%s/sessions': %s",
                     ctl->conf.paths.run_dir, strerror(errno));
}

/* Reads until no login is under way that sshd let in before its reload. */
static int read_when_open(struct ctl *ctl, struct registry *r, struct session_list *ret)
{
    const int64_t end_ms = clock_monotonic_ms() + OPENING_MS;
    for (;;) {
        bool opening = false;
        const int code = read_sessions(ctl, r, ret);
        for (size_t i = 0; code == EXIT_DONE && i < ret->count; i++)
            opening |= !ret->items[i].open;
        if (!opening || clock_monotonic_ms() >= end_ms)
            return code;
        session_list_release(ret);
        (void)poll(NULL, 0, POLL_MS);
    }
}

struct reporting {
    struct ctl *ctl;
    const struct registry *registry;
    int code;
};

/* A connection that pam_tunnel did not register cannot be ended: it is reported. */
static int report_member(void *arg, const char *login)
{
    struct reporting *r = arg;
    const int code = sessions_report_unregistered(r->ctl, r->registry, login);
    if (r->code == EXIT_DONE)
        r->code = code;
    return 0;
}

int undo_sessions(struct ctl *ctl, bool keep, bool dry_run)
{
    struct registry r = REGISTRY_CLOSED;
    struct session_list list = {0};
    struct stat st;
    if (stat(ctl->conf.paths.run_dir, &st) != 0 && errno == ENOENT)
        return EXIT_DONE; /* nothing ever opened */
    int code = sessions_open_registry(ctl, false, &r);
    if (code != EXIT_DONE)
        return code;
    code = keep || dry_run ? read_sessions(ctl, &r, &list) : read_when_open(ctl, &r, &list);
    if (code != EXIT_DONE)
        goto out;
    if (keep && list.count > 0)
        setup_say(ctl, false, "%zu live session%s %s up, and %s data: 'leasectl kill' ends one",
                  list.count, list.count == 1 ? "" : "s",
                  dry_run           ? "would stay"
                  : list.count == 1 ? "stays"
                                    : "stay",
                  dry_run || list.count != 1 ? "carry" : "carries");
    else if (dry_run && list.count > 0)
        setup_say(ctl, true, "end %zu live session%s, which '--keep-sessions' leaves up",
                  list.count, list.count == 1 ? "" : "s");
    if (!keep && !dry_run) {
        struct reporting reporting = {.ctl = ctl, .registry = &r, .code = EXIT_DONE};
        if (list.count > 0)
            code = sessions_end(ctl, &list);
        (void)account_each(ctl->conf.tunnel_group, report_member, &reporting);
        if (code == EXIT_DONE)
            code = reporting.code;
    }
out:
    session_list_release(&list);
    registry_close(&r);
    return code;
}
