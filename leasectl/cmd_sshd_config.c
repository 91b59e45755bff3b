/* SPDX-License-Identifier: ISC */
/* leasectl sshd-config: the Match blocks, for the local sshd's version, on standard output. */
#include "leasectl/leasectl.h"
#include "leasectl/matchblock.h"
#include "leasectl/sshd.h"
#include "lib/base/buf.h"
#include "lib/wire/json.h"

#include <getopt.h>
#include <stdio.h>

int cmd_sshd_config(struct ctl *ctl, int argc, char **argv)
{
    static const struct option none[] = {{NULL, 0, NULL, 0}};
    struct sshd_version version;
    struct buf text = {0}, json = {0};
    char version_text[32];
    int code = EXIT_DONE;

    if (ctl_option(ctl, argc, argv, none) != -1)
        return EXIT_USAGE;
    if (optind != argc)
        return ctl_usage(ctl, "sshd-config takes no arguments");
    if (!sshd_get_version(&version))
        return ctl_error(ctl, EXIT_FAILED,
                         "cannot tell the version of /usr/sbin/sshd: "
                         "is openssh-server installed?");
    matchblock_format(&ctl->conf, ctl->conf_file, &version, &text);
    (void)snprintf(version_text, sizeof(version_text), "%u.%u", version.major, version.minor);
    const struct json_field fields[] = {{.name = "openssh", .text = version_text},
                                        {.name = "path", .text = SSHD_DROPIN},
                                        {.name = "text", .text = buf_text(&text)}};
    if (text.failed || (ctl->json && json_object_line(fields, 3, &json) != 0))
        code = ctl_error(ctl, EXIT_FAILED, "out of memory");
    else
        (void)(ctl->json ? puts(buf_text(&json)) : fputs(buf_text(&text), stdout));
    buf_release(&text);
    buf_release(&json);
    return code;
}
