/* SPDX-License-Identifier: ISC */
#include "leasectl/doctor/report.h"

#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/wire/json.h"

#include <stdarg.h>
#include <stdio.h>

void doctor_report(struct doctor_run *d, enum result result, const char *check, const char *detail)
{
    static const char *const words[] = {"ok", "warning", "FAIL"};
    static const char *const colours[] = {"\033[32m", "\033[33m", "\033[31m"};
    struct buf json = {0}, fit = {0};
    const struct json_field fields[] = {
        {.name = "check", .text = check},
        {.name = "result", .text = result == RESULT_FAIL ? "fail" : words[result]},
        {.name = "detail", .text = detail}};

    if (result == RESULT_FAIL)
        d->failed++;
    text_add_escaped(&fit, detail);
    const char *shown = buf_text(&fit) != NULL ? buf_text(&fit) : "out of memory";
    if (d->ctl->json) {
        if (json_object_line(fields, 3, &json) == 0)
            (void)printf("%s%s", d->printed++ > 0 ? ",\n" : "", buf_text(&json));
    } else if (d->ctl->terminal) {
        (void)printf("%s%-8s%s %-12s %s\n", d->ctl->colour ? colours[result] : "", words[result],
                     d->ctl->colour ? "\033[0m" : "", check, shown);
    } else {
        (void)printf("%s\t%s\t%s\n", words[result], check, shown);
    }
    buf_release(&json);
    buf_release(&fit);
}

void doctor_reportf(struct doctor_run *d, enum result result, const char *check, const char *fmt,
                    ...)
{
    struct buf text = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_vaddf(&text, fmt, ap);
    va_end(ap);
    doctor_report(d, result, check, buf_text(&text) != NULL ? buf_text(&text) : "out of memory");
    buf_release(&text);
}
