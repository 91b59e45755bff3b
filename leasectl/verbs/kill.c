/* SPDX-License-Identifier: ISC */
/* leasectl kill: ends live sessions, and leaves their lease as it is. */
#include "leasectl/ctl.h"
#include "leasectl/rehearsal/rehearsal.h"
#include "leasectl/sessions/choose.h"
#include "leasectl/sessions/ending.h"
#include "leasectl/verbs.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/session/session_list.h"

#include <getopt.h>
#include <string.h>

struct request {
    const char *ref; /* NULL: by pid */
    pid_t pid;       /* 0: by lease */
};

static int find_sessions(struct ctl *ctl, const struct request *req, struct session_list *ret)
{
    struct session_choice choice = {.pid = req->pid};
    int code = EXIT_DONE;
    if (req->ref != NULL)
        code = sessions_choose_lease(ctl, req->ref, &choice.lease_id);
    if (code == EXIT_DONE)
        code = sessions_read_chosen(ctl, &choice, ret);
    if (code != EXIT_DONE || ret->count > 0)
        return code;
    session_list_release(ret);
    if (req->ref != NULL)
        return ctl_error(ctl, EXIT_NO_SUCH, "'%s' has no live session", req->ref);
    return ctl_error(ctl, EXIT_NO_SUCH,
                     "pid %d is no session: see the PID column of 'leasectl sessions'",
                     (int)req->pid);
}

static int rehearse_kill(struct ctl *ctl, void *req)
{
    struct session_list list = {.items = NULL};
    int code = find_sessions(ctl, req, &list);
    return code == EXIT_DONE ? rehearsal_take(ctl, &list) : code;
}

int cmd_kill(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {
        {"pid", required_argument, NULL, 'p'}, REHEARSAL_OPTIONS, {NULL, 0, NULL, 0}};
    struct rehearsal_options rehearsal = {.dry_run = false};
    struct request req = {.ref = NULL};
    struct session_list list = {.items = NULL};
    int64_t pid = 0;
    bool go_on;
    int opt;

    while ((opt = ctl_option(ctl, argc, argv, options)) != -1)
        if (opt != 'p' && !rehearsal_take_option(&rehearsal, opt))
            return EXIT_USAGE;
        else if (opt == 'p' && !number_parse(optarg, strlen(optarg), 1, 1 << 22, &pid))
            return ctl_error(ctl, EXIT_USAGE, "--pid '%s' is no process number",
                             text_clip(optarg).s);
    req.pid = (pid_t)pid;
    if (argc - optind + (pid != 0) != 1)
        return ctl_usage(ctl, "kill takes one NAME, or --pid PID");
    if (optind < argc)
        req.ref = argv[optind];
    int code = rehearse(ctl, &rehearsal, rehearse_kill, &req, &go_on);
    if (!go_on)
        return code;
    code = find_sessions(ctl, &req, &list);
    return code == EXIT_DONE ? sessions_end(ctl, &list) : code;
}
