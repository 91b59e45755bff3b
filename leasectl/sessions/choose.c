/* SPDX-License-Identifier: ISC */
#include "leasectl/sessions/choose.h"

#include "leasectl/ctl_store.h"
#include "leasectl/sessions/ending.h"
#include "leasectl/sessions/registry.h"
#include "lib/base/clock.h"
#include "lib/session/registry_remove.h"
#include "lib/session/registry_read.h"

#include <errno.h>
#include <string.h>

static bool is_chosen(void *arg, const struct session *s)
{
    const struct session_choice *choice = arg;
    return s->open && (choice->lease_id == 0 || s->lease_id == choice->lease_id) &&
           (choice->pid == 0 || s->pid == choice->pid);
}

int sessions_read_chosen(struct ctl *ctl, struct session_choice *choice, struct session_list *ret)
{
    struct registry r;
    int code = sessions_open_registry(ctl, false, &r);
    if (code != EXIT_DONE)
        return code;
    if (registry_read(&r, choice->lease_id, ret) != 0) {
        code = ctl_error(ctl, EXIT_FAILED, "cannot read the session registry '%s/sessions': %s",
                         ctl->conf.paths.run_dir, strerror(errno));
    } else {
        (void)registry_remove_dead(&r, ret, clock_monotonic_ms() + SESSIONS_CLEAR_MS);
        session_list_filter(ret, is_chosen, choice);
    }
    registry_close(&r);
    return code;
}

int sessions_choose_lease(struct ctl *ctl, const char *ref, int64_t *ret)
{
    struct lease l = {0};
    int code = ctl_open_read(ctl);
    if (code == EXIT_DONE)
        code = ctl_find_lease(ctl, ref, &l);
    ctl_close(ctl);
    if (code == EXIT_DONE)
        *ret = l.id;
    lease_release(&l);
    return code;
}
