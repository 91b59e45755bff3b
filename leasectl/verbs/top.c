/* SPDX-License-Identifier: ISC */
/* leasectl top: leases, sessions and what goes through them, redrawn in place. */
#include "leasectl/top/top.h"

#include "leasectl/ctl.h"
#include "leasectl/verbs.h"
#include "lib/base/number.h"
#include "lib/base/text.h"

#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DELAY_MS = 2000, DELAY_MIN_MS = 100, DELAY_MAX_S = 3600 };

/* Seconds with at most one digit behind the point: 2, 0.5. */
static bool parse_delay(const char *text, int *ret_ms)
{
    const size_t whole = strcspn(text, ".");
    int64_t s, tenths = 0;
    if (!number_parse(text, whole, 0, DELAY_MAX_S, &s) ||
        (text[whole] == '.' &&
         !number_parse(text + whole + 1, strlen(text + whole + 1), 0, 9, &tenths)))
        return false;
    const int64_t ms = s * 1000 + tenths * 100;
    if (ms < DELAY_MIN_MS)
        return false;
    *ret_ms = (int)ms;
    return true;
}

/* NULL, or why this is no terminal that can be redrawn. */
static const char *no_terminal(const struct ctl *ctl)
{
    const char *term = getenv("TERM");
    if (!ctl->terminal)
        return "standard output is no terminal";
    if (isatty(STDIN_FILENO) != 1)
        return "standard input is no terminal";
    if (term == NULL || term[0] == '\0' || strcmp(term, "dumb") == 0)
        return "the terminal cannot be redrawn (TERM)";
    return NULL;
}

int cmd_top(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {{"delay", required_argument, NULL, 'd'},
                                            {"count", required_argument, NULL, 'n'},
                                            {"batch", no_argument, NULL, 'b'},
                                            {NULL, 0, NULL, 0}};
    struct top_request req = {.delay_ms = DELAY_MS, .kill = cmd_kill, .revoke = cmd_revoke};
    int opt;
    while ((opt = ctl_option(ctl, argc, argv, options)) != -1) {
        if (opt == 'b')
            req.batch = true;
        else if (opt != 'd' && opt != 'n')
            return EXIT_USAGE;
        else if (opt == 'd' && !parse_delay(optarg, &req.delay_ms))
            return ctl_error(ctl, EXIT_USAGE, "--delay '%s' is no number of seconds from 0.1 to %d",
                             text_clip(optarg).s, DELAY_MAX_S);
        else if (opt == 'n' && !number_parse(optarg, strlen(optarg), 1, INT_MAX, &req.count))
            return ctl_error(ctl, EXIT_USAGE, "--count '%s' is no number from 1 on",
                             text_clip(optarg).s);
    }
    if (optind != argc)
        return ctl_usage(ctl, "top takes no name: 'leasectl sessions NAME' shows one");
    if (ctl->json)
        return ctl_usage(ctl, "top has no JSON: 'leasectl --json sessions' and 'list' have");
    const char *problem = req.batch ? NULL : no_terminal(ctl);
    if (problem != NULL)
        return ctl_error(ctl, EXIT_USAGE, "%s: 'leasectl top --batch' prints text in place of it",
                         problem);
    return top_run(ctl, &req);
}
