/* SPDX-License-Identifier: ISC */
#include "leasectl/lint/report.h"

#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/lease/authorized/allows.h"
#include "lib/lease/authorized/words.h"
#include "lib/lease/time_text.h"
#include "lib/wire/json.h"

#include <stdio.h>
#include <string.h>

static bool admits(const struct authorized_line *l)
{
    return l->kind == AUTHORIZED_KEY || l->kind == AUTHORIZED_AUTHORITY;
}

/* Who: the comment, or the fingerprint where there is none. */
static const char *who(const struct authorized_line *l)
{
    return l->key.comment[0] != '\0' ? l->key.comment : l->key.fingerprint;
}

void lint_report_begin(struct lint_report *r, const struct ctl *ctl)
{
    *r = (struct lint_report){.ctl = ctl};
    if (ctl->json)
        (void)putchar('[');
}

static bool has(const struct lint_findings *f, const char *name)
{
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->items[i].name, name) == 0)
            return true;
    return false;
}

static void count(struct lint_report *r, const struct authorized_line *l,
                  const struct lint_findings *f)
{
    r->findings += f->count;
    r->dead += l->kind == AUTHORIZED_DEAD;
    r->unread += l->kind == AUTHORIZED_UNREAD;
    r->over += has(f, "over");
    r->repeated += has(f, "repeat") && !f->reached;
    r->keys += f->reached && l->kind == AUTHORIZED_KEY;
    r->authorities += f->reached && l->kind == AUTHORIZED_AUTHORITY;
}

/* ---- JSON ---- */

static int add_finding_json(const struct lint_finding *f, struct buf *out)
{
    const struct json_field fields[] = {
        {.name = "finding", .text = f->name},
        {.name = "what", .text = f->what},
        {.name = "why", .text = f->why},
        {.name = "mend", .text = f->mend},
    };
    buf_add(out, out->len > 0 ? "," : "");
    return json_object_line(fields, sizeof(fields) / sizeof(fields[0]), out);
}

static int add_key_json(const struct authorized_line *l, struct buf *out)
{
    const struct json_field fields[] = {
        {.name = "type", .text = l->key.type},
        {.name = "fingerprint", .text = l->key.fingerprint},
        {.name = "comment", .text = l->key.comment},
    };
    return json_object_line(fields, sizeof(fields) / sizeof(fields[0]), out);
}

static int print_json(struct lint_report *r, unsigned long line_no, const struct authorized_line *l,
                      const struct lint_findings *f)
{
    static const char *const kinds[] = {"blank", "dead", "key", "authority", "unread"};
    struct buf json = {0}, findings = {0}, key = {0}, words = {0}, escaped = {0};
    int rc = -1;
    for (size_t i = 0; i < f->count; i++)
        if (add_finding_json(&f->items[i], &findings) != 0)
            goto out;
    if (admits(l)) {
        authorized_add_words(l, &words);
        text_add_escaped(&escaped, buf_text_or(&words, ""));
        if (words.failed || escaped.failed || add_key_json(l, &key) != 0)
            goto out;
    }
    const char *none = NULL;
    const struct json_field fields[] = {
        {.name = "line", .is_number = true, .number = (int64_t)line_no},
        {.name = "kind", .text = kinds[l->kind]},
        {.name = "key", .object = admits(l) ? buf_text(&key) : none},
        {.name = "allows", .text = f->reached ? buf_text(&escaped) : none},
        {.name = "findings", .objects = buf_text(&findings)},
    };
    rc = json_object_line(fields, sizeof(fields) / sizeof(fields[0]), &json);
    if (rc == 0)
        (void)printf("%s%s", r->printed > 0 ? ",\n" : "", buf_text(&json));
out:
    buf_release(&json);
    buf_release(&findings);
    buf_release(&key);
    buf_release(&words);
    buf_release(&escaped);
    return rc;
}

/* ---- rows ---- */

static void print_row(const struct lint_report *r, unsigned long line_no, const char *name,
                      const char *what, const char *why, const char *mend)
{
    if (!r->ctl->terminal) {
        (void)printf("%lu\t%s\t%s\t%s\t%s\n", line_no, name, what, why, mend);
        return;
    }
    (void)printf("line %-5lu %s%-18s%s %s\n", line_no, r->ctl->colour ? "\033[33m" : "", name,
                 r->ctl->colour ? "\033[0m" : "", what);
    if (why[0] != '\0')
        (void)printf("%-29s   why:  %s\n", "", why);
    if (mend[0] != '\0')
        (void)printf("%-29s   mend: %s\n", "", mend);
}

/* `allows`, in the place of a finding: what the line comes to, and whose key it is. */
static bool print_allows(const struct lint_report *r, unsigned long line_no,
                         const struct authorized_line *l)
{
    struct buf words = {0}, what = {0};
    authorized_add_words(l, &words);
    if (r->ctl->terminal)
        buf_addf(&words, "  (%s%s)", l->kind == AUTHORIZED_AUTHORITY ? "authority " : "", who(l));
    text_add_escaped(&what, buf_text_or(&words, ""));
    bool fine = !words.failed && !what.failed;
    if (fine && r->ctl->terminal)
        (void)printf("line %-5lu %-18s %s\n", line_no, "allows", buf_text(&what));
    else if (fine)
        (void)printf("%lu\tallows\t%s\t%s\t\n", line_no, buf_text(&what), who(l));
    buf_release(&words);
    buf_release(&what);
    return fine;
}

bool lint_report_line(struct lint_report *r, unsigned long line_no, const struct authorized_line *l,
                      const struct lint_findings *f)
{
    r->lines = line_no;
    count(r, l, f);
    if (!admits(l) && f->count == 0)
        return true;
    if (r->ctl->json) {
        bool fine = print_json(r, line_no, l, f) == 0;
        r->printed++;
        return fine;
    }
    if (f->reached && !print_allows(r, line_no, l))
        return false;
    for (size_t i = 0; i < f->count; i++) {
        const struct lint_finding *at = &f->items[i];
        print_row(r, line_no, at->name, at->what, at->why != NULL ? at->why : "",
                  at->mend != NULL ? at->mend : "");
    }
    return true;
}

static void print_number(unsigned long number, const char *one, const char *many)
{
    if (number > 0)
        (void)printf(", %lu %s", number, number == 1 ? one : many);
}

void lint_report_end(const struct lint_report *r, bool complete)
{
    if (r->ctl->json)
        (void)puts("]");
    if (r->ctl->json || !r->ctl->terminal || !complete)
        return;
    (void)printf("%lu line%s: %lu key%s", r->lines, r->lines == 1 ? "" : "s", r->keys,
                 r->keys == 1 ? "" : "s");
    print_number(r->authorities, "authority", "authorities");
    print_number(r->repeated, "repeated", "repeated");
    print_number(r->over, "over", "over");
    print_number(r->dead, "dead", "dead");
    print_number(r->unread, "not judged", "not judged");
    if (r->findings == 0)
        (void)puts("; nothing found");
    else
        (void)printf("; %lu finding%s\n", r->findings, r->findings == 1 ? "" : "s");
}
