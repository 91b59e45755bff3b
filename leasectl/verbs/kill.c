/* SPDX-License-Identifier: ISC */
/* leasectl kill: ends live sessions, and leaves their lease as it is. */
#include "leasectl/ctl.h"
#include "leasectl/sessions/choose.h"
#include "leasectl/sessions/ending.h"
#include "leasectl/verbs.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/session/session_list.h"

#include <getopt.h>
#include <inttypes.h>
#include <string.h>

int cmd_kill(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {{"pid", required_argument, NULL, 'p'},
                                            {NULL, 0, NULL, 0}};
    struct session_choice choice = {.lease_id = 0};
    struct session_list list = {0};
    int64_t pid = 0;
    int opt, code = EXIT_DONE;

    while ((opt = ctl_option(ctl, argc, argv, options)) != -1)
        if (opt != 'p')
            return EXIT_USAGE;
        else if (!number_parse(optarg, strlen(optarg), 1, 1 << 22, &pid))
            return ctl_error(ctl, EXIT_USAGE, "--pid '%s' is no process number",
                             text_clip(optarg).s);
    choice.pid = (pid_t)pid;
    if (argc - optind + (pid != 0) != 1)
        return ctl_usage(ctl, "kill takes one NAME, or --pid PID");
    if (optind < argc)
        code = sessions_choose_lease(ctl, argv[optind], &choice.lease_id);
    if (code == EXIT_DONE)
        code = sessions_read_chosen(ctl, &choice, &list);
    if (code == EXIT_DONE && list.count == 0) {
        if (pid != 0)
            return ctl_error(
                ctl, EXIT_NO_SUCH,
                "pid %" PRId64 " is no session: see the PID column of 'leasectl sessions'", pid);
        return ctl_error(ctl, EXIT_NO_SUCH, "'%s' has no live session", argv[optind]);
    }
    return code == EXIT_DONE ? sessions_end(ctl, &list) : code;
}
