/* SPDX-License-Identifier: ISC */
#include "leasectl/setup/say.h"

#include "lib/base/text.h"

#include <stdarg.h>
#include <stdio.h>

void setup_say(const struct ctl *ctl, bool dry_run, const char *fmt, ...)
{
    struct buf text = {0};
    va_list ap;
    if (ctl->json)
        return;
    va_start(ap, fmt);
    buf_vaddf(&text, fmt, ap);
    va_end(ap);
    text_print(stdout, "%s%s", dry_run ? "would " : "", buf_text_or(&text, "out of memory"));
    buf_release(&text);
}

int setup_fail(const struct ctl *ctl, int code, struct buf *why)
{
    code = ctl_error(ctl, code, "%s", buf_text_or(why, "out of memory"));
    buf_release(why);
    return code;
}
