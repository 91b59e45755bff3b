/* SPDX-License-Identifier: ISC */
#include "leasectl/sessions/registry.h"

#include "lib/session/registry_lock.h"
#include "lib/session/registry_read.h"
#include "lib/session/run_dir.h"

#include <errno.h>
#include <string.h>

int sessions_open_registry(struct ctl *ctl, bool for_writing, struct registry *ret)
{
    const char *run_dir = ctl->conf.paths.run_dir;
    if ((for_writing ? run_dir_open(run_dir, ret) : registry_open(run_dir, false, ret)) == 0)
        return EXIT_DONE;
    if (errno == EPERM)
        return ctl_error(
            ctl, EXIT_FAILED,
            "the session registry '%s/sessions' is not safe: it, '%s' and '%s/lock' must "
            "be root's, and writable by root alone",
            run_dir, run_dir, run_dir);
    return ctl_error(ctl, EXIT_FAILED, "cannot use the session registry '%s/sessions': %s%s",
                     run_dir, strerror(errno),
                     errno == EACCES   ? "; run this as root"
                     : errno == ENOENT ? "; 'sudo leasectl setup', or the next login, makes it"
                                       : "");
}

void sessions_forget_lease(struct ctl *ctl, int64_t lease_id)
{
    struct registry r;
    if (registry_open(ctl->conf.paths.run_dir, true, &r) != 0)
        return;
    registry_remove_lock_file(&r, lease_id);
    registry_close(&r);
}

int64_t sessions_count(struct ctl *ctl, int64_t lease_id)
{
    static struct session_list all;
    static enum { NOT_READ, READ, UNKNOWN } state;
    int64_t count = 0;
    struct registry r;
    if (state == NOT_READ) {
        state = UNKNOWN;
        if (registry_open(ctl->conf.paths.run_dir, false, &r) == 0) {
            if (registry_read(&r, 0, &all) == 0)
                state = READ;
            registry_close(&r);
        }
    }
    if (state == UNKNOWN)
        return -1;
    for (size_t i = 0; i < all.count; i++)
        count += all.items[i].open && all.items[i].lease_id == lease_id;
    return count;
}
