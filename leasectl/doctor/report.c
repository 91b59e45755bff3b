/* SPDX-License-Identifier: ISC */
#include "leasectl/doctor/report.h"

#include "lib/base/text.h"
#include "lib/wire/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const words[] = {"ok", "note", "unknown", "warning", "FAIL"};
static const char *const json_words[] = {"ok", "note", "unknown", "warning", "fail"};
static const char *const colours[] = {"\033[32m", "\033[36m", "\033[35m", "\033[33m", "\033[31m"};

static void print_json(struct doctor_run *d)
{
    struct buf json = {0};
    const bool has_why = d->finding.why.len > 0, has_mend = d->finding.mend.len > 0;
    const struct json_field fields[] = {
        {.name = "check", .text = d->finding.check},
        {.name = "result", .text = json_words[d->finding.result]},
        {.name = "detail", .text = buf_text_or(&d->finding.what, "out of memory")},
        {.name = "why", .text = has_why ? buf_text_or(&d->finding.why, "out of memory") : NULL},
        {.name = "mend", .text = has_mend ? buf_text_or(&d->finding.mend, "out of memory") : NULL},
    };
    if (json_object_line(fields, sizeof(fields) / sizeof(fields[0]), &json) == 0)
        (void)printf("%s%s", d->printed++ > 0 ? ",\n" : "", buf_text(&json));
    buf_release(&json);
}

static void print_part(const char *name, const struct buf *part)
{
    if (part->len > 0)
        text_print(stdout, "%-8s %-12s   %s%s", "", "", name, buf_text_or(part, "out of memory"));
}

static void print_for_terminal(const struct doctor_run *d)
{
    struct buf what = {0};
    text_add_escaped(&what, buf_text_or(&d->finding.what, "out of memory"));
    (void)printf("%s%-8s%s %-12s %s\n", d->ctl->colour ? colours[d->finding.result] : "",
                 words[d->finding.result], d->ctl->colour ? "\033[0m" : "", d->finding.check,
                 buf_text_or(&what, "out of memory"));
    print_part("why:  ", &d->finding.why);
    print_part("mend: ", &d->finding.mend);
    buf_release(&what);
}

static void print_columns(const struct doctor_run *d)
{
    const struct buf *const parts[] = {&d->finding.what, &d->finding.why, &d->finding.mend};
    (void)printf("%s\t%s", words[d->finding.result], d->finding.check);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        struct buf escaped = {0};
        text_add_escaped(&escaped, buf_text_or(parts[i], "out of memory"));
        (void)printf("\t%s", buf_text_or(&escaped, "out of memory"));
        buf_release(&escaped);
    }
    (void)putchar('\n');
}

static void print_finding(struct doctor_run *d)
{
    if (d->finding.check == NULL)
        return;
    if (d->ctl->json)
        print_json(d);
    else if (d->ctl->terminal)
        print_for_terminal(d);
    else
        print_columns(d);
    d->finding.check = NULL;
}

void doctor_report(struct doctor_run *d, enum result result, const char *check, const char *fmt,
                   ...)
{
    va_list ap;
    print_finding(d);
    d->findings++;
    d->failed += result == RESULT_FAIL;
    d->warned += result == RESULT_WARN;
    d->unknown += result == RESULT_UNKNOWN;
    d->noted += result == RESULT_NOTE;
    d->well += result == RESULT_OK;
    d->finding.result = result;
    d->finding.check = check;
    buf_clear(&d->finding.what);
    buf_clear(&d->finding.why);
    buf_clear(&d->finding.mend);
    va_start(ap, fmt);
    buf_vaddf(&d->finding.what, fmt, ap);
    va_end(ap);
}

void doctor_why(struct doctor_run *d, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_vaddf(&d->finding.why, fmt, ap);
    va_end(ap);
}

void doctor_mend(struct doctor_run *d, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_vaddf(&d->finding.mend, fmt, ap);
    va_end(ap);
}

/* Adds `2 warnings`; nothing for none. */
static void add_number(struct buf *out, unsigned number, const char *one, const char *many)
{
    if (number > 0)
        buf_addf(out, "%s%u %s", out->len > 0 ? ", " : "", number, number == 1 ? one : many);
}

static void print_sum(const struct doctor_run *d)
{
    struct buf sum = {0};
    add_number(&sum, d->failed, "failed", "failed");
    add_number(&sum, d->warned, "warning", "warnings");
    add_number(&sum, d->unknown, "not known", "not known");
    add_number(&sum, d->noted, "note", "notes");
    const bool all_well = sum.len == 0;
    add_number(&sum, d->well, "ok", "ok");
    text_print(stdout, "%s%s", buf_text_or(&sum, "out of memory"),
               d->failed > 0            ? ": mend what failed first"
               : all_well               ? ": all is well"
               : d->warned + d->unknown ? ": leases hold, and something is not as you expect"
                                        : ": leases hold");
    buf_release(&sum);
}

void doctor_run_all(struct doctor_run *d, const doctor_check_fn checks[], size_t count)
{
    if (d->ctl->json)
        (void)putchar('[');
    for (size_t i = 0; i < count && !d->no_more; i++)
        checks[i](d);
    print_finding(d);
    if (d->ctl->json)
        (void)puts("]");
    if (d->ctl->terminal && !d->ctl->json)
        print_sum(d);
    buf_release(&d->global);
    sshd_lines_release(&d->lines);
    free(d->sources);
    buf_release(&d->finding.what);
    buf_release(&d->finding.why);
    buf_release(&d->finding.mend);
}
