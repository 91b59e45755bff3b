/* SPDX-License-Identifier: ISC */
#include "leasectl/probe/outcomes.h"

#include "lib/wire/json.h"

#include <stdio.h>
#include <unistd.h>

void outcomes_init(struct outcomes *o, const struct ctl *ctl)
{
    static const char *const headings[] = {"CHECK", "WHAT", "RESULT", "EVIDENCE", NULL};
    *o = (struct outcomes){.ctl = ctl};
    table_init(&o->table, headings);
}

void outcomes_add(struct outcomes *o, char check, const char *what, enum outcome outcome,
                  const char *evidence)
{
    static const char *const words[] = {"pass", "FAIL", "not run"};
    const char letter[2] = {check, '\0'};
    if (outcome != OUTCOME_PASS)
        o->not_passed++;
    if (o->ctl->json) {
        const struct json_field fields[] = {
            {.name = "check", .text = letter},
            {.name = "what", .text = what},
            {.name = "result", .text = outcome == OUTCOME_FAIL ? "fail" : words[outcome]},
            {.name = "evidence", .text = evidence}};
        if (o->rows++ > 0)
            buf_add(&o->json, ",\n");
        if (json_object_line(fields, 4, &o->json) != 0)
            o->json.failed = true;
        return;
    }
    o->rows++;
    table_add(&o->table, letter);
    table_add(&o->table, what);
    table_add(&o->table, words[outcome]);
    table_add(&o->table, evidence);
}

int outcomes_print(const struct outcomes *o)
{
    if (!o->ctl->json)
        return table_show(o->ctl, &o->table);
    if (buf_text(&o->json) == NULL)
        return ctl_error(o->ctl, EXIT_FAILED, "out of memory");
    (void)printf("[%s]\n", buf_text(&o->json));
    return EXIT_DONE;
}

void outcomes_release(struct outcomes *o)
{
    table_release(&o->table);
    buf_release(&o->json);
}

void outcomes_show_progress(const char *what)
{
    if (isatty(STDERR_FILENO) == 1)
        (void)fprintf(stderr, "\r\033[Ktrying %s", what);
    if (isatty(STDERR_FILENO) == 1 && what[0] == '\0')
        (void)fprintf(stderr, "\r\033[K");
}
