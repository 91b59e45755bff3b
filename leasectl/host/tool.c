/* SPDX-License-Identifier: ISC */
#include "leasectl/host/tool.h"

#include "leasectl/child.h"

#include <string.h>

int tool_run(const char *name, const char *const argv[], const char *const env[], int timeout_ms,
             struct buf *out)
{
    struct child c;
    int status = child_run(&c, argv, env, NULL, timeout_ms);
    if (status != 0) {
        const char *said = child_text(&c.err_text);
        buf_addf(out, "%s failed (exit %d): %.*s", name, status, (int)strcspn(said, "\n"), said);
    }
    child_release(&c);
    return status == 0 ? 0 : -1;
}
