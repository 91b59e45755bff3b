/* SPDX-License-Identifier: ISC */
#include "leasectl/host/sshd_reload.h"

#include "leasectl/child.h"
#include "leasectl/host/listening.h"
#include "lib/base/clock.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

enum { QUERY_MS = 10000, RELOAD_MS = 5000 };

/* On SIGHUP sshd closes its sockets, executes its program again, reads the configuration, and
 * listens. */
static int wait_for_reload(const struct sshd *s, struct buf *out)
{
    int64_t end_ms = clock_monotonic_ms() + RELOAD_MS;
    while (clock_monotonic_ms() < end_ms) {
        if (listening_socket_was_replaced(s->port, s->socket))
            return 0;
        (void)poll(NULL, 0, 10);
    }
    buf_add(out, "sshd did not come back from the reload within 5 s: see its log");
    return -1;
}

/* True when a restart of the unit leaves live connections up, as those of distributions do. */
static bool restart_is_safe(const char *unit)
{
    static const char safe[] = "KillMode=process\n";
    const char *const argv[] = {"systemctl", "show", "--property=KillMode", unit, NULL};
    struct child c;
    int status = child_run(&c, argv, NULL, NULL, QUERY_MS);
    bool is_safe = status == 0 && c.out_text.len > 0 && buf_text(&c.out_text) != NULL &&
                   strcmp(buf_text(&c.out_text), safe) == 0;
    child_release(&c);
    return is_safe;
}

/* An sshd that got its socket from systemd may close it at a reload and be unable to bind it again
 * (9.2 of Debian 12: "Cannot bind any address"). It is restarted instead, where that is safe. */
static int reload_unit(const struct sshd *s, struct buf *out)
{
    const bool restart = s->by_systemd && restart_is_safe(s->unit);
    const char *const argv[] = {"systemctl", restart ? "try-restart" : "reload", s->unit, NULL};
    struct child c;
    int status = child_run(&c, argv, NULL, NULL, QUERY_MS);
    if (status != 0)
        child_add_first_line(&c.err_text, out);
    child_release(&c);
    return status == 0 ? 0 : -1;
}

int sshd_reload(const struct sshd *s, struct buf *out, bool *ret_running)
{
    *ret_running = s->listener != 0;
    if (s->listener == 0) /* what a socket unit starts reads the configuration at its start */
        return 0;
    if (s->unit[0] != '\0')
        return reload_unit(s, out);
    if (kill(s->listener, SIGHUP) != 0) {
        buf_addf(out, "cannot signal sshd (pid %d): %s", (int)s->listener, strerror(errno));
        return -1;
    }
    return wait_for_reload(s, out);
}
