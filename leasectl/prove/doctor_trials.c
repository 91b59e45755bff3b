/* SPDX-License-Identifier: ISC */
#include "leasectl/prove/doctor_trials.h"

#include "leasectl/prove/self.h"
#include "lib/base/clock.h"
#include "lib/wire/json.h"

#include <string.h>

enum { DOCTOR_MS = 15000, CELLS = 5 };

/* Which findings of doctor, by the word of its second column, judge which trial. */
static const struct {
    const char *id, *checks; /* with a blank before and after each */
} judged[] = {
    {"sshd-ceiling", " sshd drop-in setup "},
    {"all-registered", " registry "},
    {"pam-stacks", " pam setup "},
    {"store-modes", " store "},
    {"accounts", " login "},
};
enum { JUDGED = sizeof(judged) / sizeof(judged[0]) };

enum cell { RESULT, CHECK, DETAIL, WHY, MEND };

struct judgement {
    bool asked, failed, unknown;
    struct buf bad, good;
};

static bool is_of(const char *checks, const char *check)
{
    const char *hit = strstr(checks, check);
    return hit != NULL && hit[-1] == ' ' && hit[strlen(check)] == ' ';
}

static void judge(struct judgement *j, const char *const cells[CELLS])
{
    const bool failed = strcmp(cells[RESULT], "FAIL") == 0;
    const bool unknown = strcmp(cells[RESULT], "unknown") == 0;
    struct buf *to = failed || unknown ? &j->bad : &j->good;
    j->asked = true;
    j->failed = j->failed || failed;
    j->unknown = j->unknown || unknown;
    buf_addf(to, "%s%s", to->len > 0 ? "; " : "", cells[DETAIL]);
}

static void add_finding(struct doctor_findings *f, const char *const cells[CELLS])
{
    const bool failed = strcmp(cells[RESULT], "FAIL") == 0;
    const struct json_field fields[] = {
        {.name = "check", .text = cells[CHECK]},
        {.name = "result", .text = failed ? "fail" : cells[RESULT]},
        {.name = "detail", .text = cells[DETAIL]},
        {.name = "why", .text = cells[WHY][0] != '\0' ? cells[WHY] : NULL},
        {.name = "mend", .text = cells[MEND][0] != '\0' ? cells[MEND] : NULL},
    };
    f->failed += failed;
    buf_add(&f->json, f->count++ > 0 ? ",\n" : "");
    if (json_object_line(fields, sizeof(fields) / sizeof(fields[0]), &f->json) != 0)
        f->json.failed = true;
    buf_addf(&f->text, "  %-8s %-12s %s\n", cells[RESULT], cells[CHECK], cells[DETAIL]);
    if (cells[WHY][0] != '\0')
        buf_addf(&f->text, "  %-21s   why:  %s\n", "", cells[WHY]);
    if (cells[MEND][0] != '\0')
        buf_addf(&f->text, "  %-21s   mend: %s\n", "", cells[MEND]);
}

static void read_findings(struct doctor_findings *f, char *rest, struct judgement js[JUDGED])
{
    const char *cells[CELLS];
    while (rest != NULL && self_next_row(&rest, cells, CELLS) > 0) {
        add_finding(f, cells);
        for (size_t i = 0; i < JUDGED; i++)
            if (is_of(judged[i].checks, cells[CHECK]))
                judge(&js[i], cells);
    }
}

static void add_results(struct proof *p, const struct doctor_findings *f,
                        struct judgement js[JUDGED])
{
    for (size_t i = 0; i < JUDGED; i++) {
        const char *bad = child_text(&js[i].bad), *good = child_text(&js[i].good);
        if (js[i].failed)
            proof_add(p, judged[i].id, "leasectl doctor", OUTCOME_FAIL, "%s", bad);
        else if (js[i].unknown || !js[i].asked || !f->ran)
            proof_add(p, judged[i].id, "leasectl doctor", OUTCOME_NOT_RUN, "%s",
                      js[i].unknown ? bad
                      : f->ran      ? "doctor did not come to it: see its findings"
                                    : "doctor did not come to its end");
        else
            proof_add(p, judged[i].id, "leasectl doctor", OUTCOME_PASS, "%s", good);
        buf_release(&js[i].bad);
        buf_release(&js[i].good);
    }
}

void try_doctor(struct proof *p, struct doctor_findings *ret)
{
    struct judgement js[JUDGED] = {{.asked = false}};
    struct child c;
    *ret = (struct doctor_findings){.count = 0};
    proof_show_progress(p, "doctor");
    const int64_t end_ms = clock_monotonic_ms() + DOCTOR_MS;
    bool ended = false;
    const bool started = self_start(p->ctl, (const char *const[]){"doctor", NULL}, &c) == 0;
    while (started && !proof_interrupted() && !ended && clock_monotonic_ms() < end_ms)
        ended = child_pump(&c, 50);
    ret->ran = ended &&
               (child_exit_status(&c) == EXIT_DONE || child_exit_status(&c) == EXIT_FAILED) &&
               c.out_text.len > 0;
    if (started && buf_text(&c.out_text) != NULL && c.out_text.len > 0)
        read_findings(ret, c.out_text.data, js);
    if (!ret->ran)
        buf_addf(&ret->text, "  doctor did not come to its end: %s\n",
                 started ? child_text(&c.err_text) : "it could not be started");
    add_results(p, ret, js);
    if (started)
        child_release(&c);
}

void doctor_findings_release(struct doctor_findings *f)
{
    buf_release(&f->text);
    buf_release(&f->json);
}
