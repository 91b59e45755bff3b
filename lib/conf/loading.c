/* SPDX-License-Identifier: ISC */
#include "lib/conf/loading.h"

#include "lib/base/buf.h"
#include "lib/base/text.h"

#include <stdarg.h>
#include <stdio.h>

void loading_problem(struct loading *load, const char *fmt, ...)
{
    char text[CONF_ERROR_BYTES];
    va_list args;
    if (++load->problem_count > CONF_PROBLEMS_MAX)
        return;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    buf_addf(load->problems, "%s%s\n", text_clip(load->file).s, text);
}
