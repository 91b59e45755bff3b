/* SPDX-License-Identifier: ISC */
#include "leasectl/show/json.h"

#include "lib/base/buf.h"
#include "lib/wire/json.h"

#include <stdio.h>

int show_json_array(const struct ctl *ctl, const struct buf *items)
{
    if (buf_text(items) == NULL)
        return ctl_error(ctl, EXIT_FAILED, "out of memory");
    (void)printf("[%s]\n", buf_text(items));
    return EXIT_DONE;
}

int show_json_line(const struct ctl *ctl, int rc, struct buf *line)
{
    int code = EXIT_DONE;
    if (rc == 0)
        (void)puts(buf_text(line));
    else
        code = ctl_error(ctl, EXIT_FAILED, "out of memory");
    buf_release(line);
    return code;
}

int show_json_object(const struct ctl *ctl, const struct json_field *fields, size_t count)
{
    struct buf line = {0};
    int rc = json_object_line(fields, count, &line);
    return show_json_line(ctl, rc, &line);
}
