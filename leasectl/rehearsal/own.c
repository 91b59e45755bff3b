/* SPDX-License-Identifier: ISC */
#include "leasectl/rehearsal/own.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static bool says_yes(void)
{
    char line[16];
    return fgets(line, sizeof(line), stdin) != NULL && (line[0] == 'y' || line[0] == 'Y');
}

static const struct session *first_own(const struct forecast *f)
{
    for (size_t i = 0; i < f->ending.count; i++)
        if (f->own[i])
            return &f->ending.items[i];
    return NULL;
}

int own_ask(struct ctl *ctl, const struct forecast *f, bool *ret_go_on)
{
    *ret_go_on = true;
    if (f->own_sight == SIGHT_CANNOT_TELL)
        ctl_warn(ctl, "cannot tell whether your own connection runs through a session that ends: "
                      "see 'leasectl doctor'");
    if (f->own_sight != SIGHT_IS)
        return EXIT_DONE;
    const struct session *s = first_own(f);
    if (isatty(STDIN_FILENO) != 1) {
        *ret_go_on = false;
        return ctl_error(ctl, EXIT_FAILED,
                         "your own connection runs through a session of '%s' (pid %d), which this "
                         "ends; nothing was changed: there is no terminal to ask on, so say it "
                         "with --yes, or see with --dry-run what would end",
                         s->lease, (int)s->pid);
    }
    (void)fprintf(stderr,
                  "Your own connection runs through a session of '%s' (pid %d), which this ends.\n"
                  "You may not get in again. Go on? [y/N] ",
                  s->lease, (int)s->pid);
    if (!says_yes()) {
        *ret_go_on = false;
        return ctl_error(ctl, EXIT_FAILED, "nothing was changed");
    }
    (void)signal(SIGHUP, SIG_IGN);
    return EXIT_DONE;
}
