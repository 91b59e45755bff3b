/* SPDX-License-Identifier: ISC */
#include "leasectl/host/join_unit.h"

#include "leasectl/child.h"
#include "leasectl/host/tool.h"

#include <bsd/string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TOOL_MS = 60000 };

static const char units[] = TUNLEASE_SYSCONFDIR "/systemd/system";

static bool is_link(const char *wants, const char *unit)
{
    struct buf path = {0};
    struct stat st;
    buf_addf(&path, "%s/%s.wants/%s", units, wants, unit);
    const bool found = buf_text(&path) != NULL && lstat(buf_text(&path), &st) == 0;
    buf_release(&path);
    return found;
}

static bool is_active(const char *unit)
{
    const char *const argv[] = {"systemctl", "is-active", "--quiet", unit, NULL};
    struct child c;
    if (!join_unit_can_start())
        return false;
    const int status = child_run(&c, argv, NULL, NULL, TOOL_MS);
    child_release(&c);
    return status == 0;
}

bool join_unit_can_start(void)
{
    return access("/run/systemd/system", F_OK) == 0;
}

bool join_unit_is_wanted(void)
{
    return is_link("multi-user.target", "leased.service") || is_active("leased.service");
}

bool join_unit_is_enabled(void)
{
    return is_link("sockets.target", JOIN_UNIT);
}

bool join_unit_is_active(void)
{
    return is_active(JOIN_UNIT);
}

static int run(const char *verb, const char *unit, const char *more, struct buf *out)
{
    const char *const argv[] = {"systemctl", verb, unit, more, NULL};
    char name[64] = "systemctl ";
    (void)strlcat(name, verb, sizeof(name));
    return tool_run(name, argv, NULL, TOOL_MS, out);
}

/* systemd starts no socket unit while its service runs. leased.socket stays up, so who connects to
 * leased meanwhile waits. */
static int start(struct buf *out)
{
    struct buf unused = {0};
    if (!is_active("leased.service"))
        return run("start", JOIN_UNIT, NULL, out);
    if (run("stop", "leased.service", NULL, out) != 0)
        return -1;
    int rc = run("start", JOIN_UNIT, NULL, out);
    if (rc == 0)
        rc = run("start", "leased.service", NULL, out);
    if (rc != 0) { /* leased was up without it, and must be again */
        (void)join_unit_disable(&unused);
        (void)run("start", "leased.service", NULL, &unused);
        buf_release(&unused);
    }
    return rc;
}

int join_unit_enable(struct buf *out)
{
    if (run("enable", JOIN_UNIT, NULL, out) != 0)
        return -1;
    return join_unit_can_start() && !join_unit_is_active() ? start(out) : 0;
}

int join_unit_disable(struct buf *out)
{
    return join_unit_can_start() ? run("disable", "--now", JOIN_UNIT, out)
                                 : run("disable", JOIN_UNIT, NULL, out);
}
