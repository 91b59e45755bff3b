/* SPDX-License-Identifier: ISC */
/* leasectl sshd-config: the Match blocks, for the sshd that serves or for another version. */
#include "leasectl/ctl.h"
#include "leasectl/host/matchblock.h"
#include "leasectl/host/sshd.h"
#include "leasectl/host/sshd_dialect.h"
#include "leasectl/host/sshd_version.h"
#include "leasectl/host/sshd_zone.h"
#include "leasectl/show/json.h"
#include "leasectl/verbs.h"
#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/wire/json.h"

#include <getopt.h>
#include <stdio.h>

/* Of the sshd that serves; the version of another one when it is named. */
static int find_dialect(struct ctl *ctl, const char *named, struct sshd_dialect *ret)
{
    struct sshd sshd;
    struct buf why = {0};
    int code = EXIT_DONE;
    if (named != NULL && !sshd_parse_version(named, &ret->version))
        return ctl_error(ctl, EXIT_USAGE, "--for '%s' is no version like 8.9 or 10.0",
                         text_clip(named).s);
    if (named != NULL && sshd_is_too_old(&ret->version))
        return ctl_error(ctl, EXIT_USAGE, "--for '%s' is too old: %d.%d is the first that works",
                         text_clip(named).s, SSHD_OLDEST_MAJOR, SSHD_OLDEST_MINOR);
    bool found = sshd_find(&ctl->conf, &sshd, &why) == 0;
    if (named == NULL && (!found || sshd_query_dialect(&sshd, ret, &why) != 0))
        code = ctl_error(ctl, EXIT_FAILED, "%s", buf_text_or(&why, "out of memory"));
    else if (named != NULL && found && !sshd_reads_utc(&ret->version) &&
             sshd_query_zone(&sshd, &ret->zone, &why) != 0)
        ctl_warn(ctl, "%s: written as for one without TZ", buf_text_or(&why, "out of memory"));
    buf_release(&why);
    return code;
}

int cmd_sshd_config(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {{"for", required_argument, NULL, 'f'},
                                            {NULL, 0, NULL, 0}};
    struct sshd_dialect dialect = {.zone = {.is_set = false}};
    struct buf text = {0};
    char version_text[32];
    const char *named = NULL;
    int opt, code = EXIT_DONE;

    while ((opt = ctl_option(ctl, argc, argv, options)) != -1) {
        if (opt != 'f')
            return EXIT_USAGE;
        named = optarg;
    }
    if (optind != argc)
        return ctl_usage(ctl, "sshd-config takes no names");
    code = find_dialect(ctl, named, &dialect);
    if (code != EXIT_DONE)
        return code;
    matchblock_format(&ctl->conf, ctl->conf_file, &dialect, &text);
    (void)snprintf(version_text, sizeof(version_text), "%u.%u", dialect.version.major,
                   dialect.version.minor);
    const struct json_field fields[] = {{.name = "openssh", .text = version_text},
                                        {.name = "path", .text = SSHD_DROPIN},
                                        {.name = "text", .text = buf_text(&text)}};
    if (text.failed)
        code = ctl_error(ctl, EXIT_FAILED, "out of memory");
    else if (ctl->json)
        code = show_json_object(ctl, fields, 3);
    else
        (void)fputs(buf_text(&text), stdout);
    buf_release(&text);
    return code;
}
