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

int show_json_object(const struct ctl *ctl, const struct json_field *fields, size_t count)
{
    struct buf out = {0};
    int code = EXIT_DONE;
    if (json_object_line(fields, count, &out) == 0)
        (void)puts(buf_text(&out));
    else
        code = ctl_error(ctl, EXIT_FAILED, "out of memory");
    buf_release(&out);
    return code;
}
