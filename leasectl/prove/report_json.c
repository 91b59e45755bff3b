/* SPDX-License-Identifier: ISC */
/* The report as one JSON document: an item of an array on a line, so that two reports can be
 * compared with diff(1). */
#include "leasectl/audit/fault.h"
#include "leasectl/host/gateway.h"
#include "leasectl/prove/claims.h"
#include "leasectl/prove/report.h"
#include "lib/base/hex.h"
#include "lib/lease/time_text.h"
#include "lib/wire/json.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

enum { FORMAT = 1 };

static const char *const outcome_words[] = {"pass", "fail", "not run"};

static void add_object(struct buf *out, const struct json_field fields[], size_t count)
{
    if (json_object_line(fields, count, out) != 0)
        out->failed = true;
}

static void add_host(const struct report *r, struct buf *out)
{
    const struct ctl *ctl = r->proof->ctl;
    struct utsname host = {.nodename = ""};
    struct pubkey key;
    struct buf why = {0}, kernel = {0}, version = {0};
    const bool has_key = gateway_host_key(&ctl->conf, &key, &why) == 0;
    (void)uname(&host);
    buf_addf(&kernel, "%s %s %s", host.sysname, host.release, host.machine);
    if (r->sshd != NULL)
        buf_addf(&version, "%u.%u", r->sshd->program_version.major, r->sshd->program_version.minor);
    const struct json_field fields[] = {
        {.name = "name", .text = host.nodename},
        {.name = "public_host", .text = ctl->conf.public_host},
        {.name = "public_port", .is_number = true, .number = ctl->conf.public_port},
        {.name = "kernel", .text = buf_text(&kernel)},
        {.name = "tunlease", .text = TUNLEASE_VERSION},
        {.name = "conf", .text = ctl_conf_name(ctl)},
        {.name = "store", .text = ctl->conf.paths.database},
        {.name = "sshd", .text = r->sshd != NULL ? r->sshd->path : NULL},
        {.name = "openssh", .text = r->sshd != NULL ? buf_text(&version) : NULL},
        {.name = "host_key", .text = has_key ? key.fingerprint : NULL},
    };
    add_object(out, fields, sizeof(fields) / sizeof(fields[0]));
    buf_release(&why);
    buf_release(&kernel);
    buf_release(&version);
}

static void add_attempts(const struct report *r, const struct trial *t, struct buf *out)
{
    size_t count = 0;
    for (size_t i = 0; i < r->proof->count; i++) {
        const struct proof_result *result = &r->proof->results[i];
        const struct json_field fields[] = {
            {.name = "what", .text = result->what},
            {.name = "result", .text = outcome_words[result->outcome]},
            {.name = "evidence", .text = result->evidence}};
        if (result->trial != t)
            continue;
        buf_add(out, count++ > 0 ? "," : "");
        add_object(out, fields, sizeof(fields) / sizeof(fields[0]));
    }
}

static void add_trials(const struct report *r, const struct claim *c, struct buf *out)
{
    size_t count = 0;
    for (size_t i = 0; i < trial_count; i++) {
        struct buf attempts = {0};
        if (!claim_has_trial(c, trials[i].id))
            continue;
        add_attempts(r, &trials[i], &attempts);
        const struct json_field fields[] = {
            {.name = "id", .text = trials[i].id},
            {.name = "how", .text = trials[i].how},
            {.name = "result", .text = outcome_words[proof_outcome(r->proof, trials[i].id)]},
            {.name = "attempts", .objects = buf_text(&attempts)}};
        out->failed = out->failed || attempts.failed;
        buf_add(out, count++ > 0 ? "," : "");
        add_object(out, fields, sizeof(fields) / sizeof(fields[0]));
        buf_release(&attempts);
    }
}

static void add_claims(const struct report *r, struct buf *out)
{
    for (size_t i = 0; i < claim_count; i++) {
        struct buf tried = {0};
        add_trials(r, &claims[i], &tried);
        const struct json_field fields[] = {{.name = "section", .text = claims[i].section},
                                            {.name = "claim", .text = claims[i].text},
                                            {.name = "not_tried", .text = claims[i].not_tried},
                                            {.name = "trials", .objects = buf_text(&tried)}};
        out->failed = out->failed || tried.failed;
        buf_add(out, i > 0 ? ",\n" : "");
        add_object(out, fields, sizeof(fields) / sizeof(fields[0]));
        buf_release(&tried);
    }
}

static void add_audit(const struct report *r, struct buf *out)
{
    char head[2 * AUDIT_HASH_BYTES + 1], time[TIME_TEXT_BYTES];
    const struct audit_report *a = &r->audit->report;
    if (!r->audit->known) {
        buf_add(out, "null");
        return;
    }
    hex_encode(a->head, sizeof(a->head), head);
    time_format_rfc3339(a->head_time_s, time);
    const struct json_field fields[] = {
        {.name = "verified", .is_bool = true, .number = r->audit->verified},
        {.name = "rows", .is_number = r->audit->verified, .number = a->rows},
        {.name = "first_seq", .is_number = r->audit->verified, .number = a->first_seq},
        {.name = "last_seq", .is_number = true, .number = a->last_seq},
        {.name = "broken_seq", .is_number = a->broken_seq != 0, .number = a->broken_seq},
        {.name = "fault", .text = audit_fault_name(a->fault)},
        {.name = "head", .text = head},
        {.name = "head_at", .text = a->head_time_s != 0 ? time : NULL}};
    add_object(out, fields, sizeof(fields) / sizeof(fields[0]));
}

static void add_array(struct buf *out, const char *name, const struct buf *objects, bool known)
{
    const char *text = buf_text(objects);
    out->failed = out->failed || text == NULL;
    if (known)
        buf_addf(out, ",\n\"%s\":[\n%s\n]", name, text != NULL ? text : "");
    else
        buf_addf(out, ",\n\"%s\":null", name);
}

void report_add_json(const struct report *r, struct buf *out)
{
    static const char *const results[] = {"pass", "incomplete", "fail"};
    char made[TIME_TEXT_BYTES];
    struct buf summary = {0};
    time_format_rfc3339(r->proof->ctl->now_s, made);
    report_summary(r, &summary);
    const struct json_field fields[] = {{.name = "format", .is_number = true, .number = FORMAT},
                                        {.name = "result", .text = results[report_result(r)]},
                                        {.name = "summary", .text = buf_text(&summary)},
                                        {.name = "made_at", .text = made},
                                        {.name = "seconds", .is_number = true, .number = r->took_s},
                                        {.name = "made_by", .text = r->proof->ctl->actor}};
    buf_add(out, "{\n\"report\":");
    add_object(out, fields, sizeof(fields) / sizeof(fields[0]));
    buf_add(out, ",\n\"host\":");
    add_host(r, out);
    buf_addf(out, ",\n\"active_leases\":%zu", r->leases->active);
    add_array(out, "leases", &r->leases->json, r->leases->problem == NULL);
    add_array(out, "sessions", &r->sessions->json, r->sessions->problem == NULL);
    buf_add(out, ",\n\"claims\":[\n");
    add_claims(r, out);
    buf_add(out, "\n]");
    add_array(out, "doctor", &r->doctor->json, true);
    buf_add(out, ",\n\"audit\":");
    add_audit(r, out);
    buf_add(out, "\n}");
    buf_release(&summary);
}
