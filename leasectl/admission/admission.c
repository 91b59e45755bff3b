/* SPDX-License-Identifier: ISC */
#include "leasectl/admission/admission.h"

#include "leasectl/admission/inquiry.h"
#include "leasectl/ctl_store.h"
#include "leasectl/host/sshd_settings.h"

#include <string.h>
#include <unistd.h>

/* Reads sshd's settings for the question; else adds why they cannot be read. */
static void read_settings(struct inquiry *i, const struct sshd *s)
{
    struct sshd found;
    struct buf text = {0};
    char value[16];
    struct admission_findings *f = &i->answer->findings;
    int rc = -1;
    if (geteuid() != 0) {
        buf_add(&text, "'sshd -T' needs root");
    } else {
        rc = s != NULL ? 0 : sshd_find(&i->ctl->conf, &found, &text);
        s = s != NULL ? s : &found;
        if (rc == 0)
            rc = sshd_effective_from(s, i->q->login, i->q->addr, &text);
    }
    if (rc == 0 && buf_text(&text) != NULL) {
        i->version = s->program_version;
        i->settings = text;
        sshd_setting(&i->settings, "usepam", value, sizeof(value));
        i->uses_pam = strcmp(value, "yes") == 0;
        i->answer->asked[ADMISSION_SSHD] = true;
        return;
    }
    finding_add(f, ADMISSION_SSHD, ADMISSION_NOT_ASKED, "sshd", "sshd's settings");
    finding_why(f, "%s", buf_text_or(&text, "out of memory"));
    finding_mend(f, "%s", geteuid() != 0 ? "ask as root: sudo leasectl" : "leasectl doctor");
    buf_release(&text);
}

/* What is asked before akc, in the order in which a login meets it. */
static void ask_before_lease(struct inquiry *i, const struct sshd *s)
{
    read_settings(i, s);
    ask_account(i);
    if (i->settings.len > 0) {
        ask_sshd_access(i);
        ask_sshd_key(i);
    }
}

/* What is asked when the key was accepted. */
static void ask_after_lease(struct inquiry *i)
{
    ask_pam(i);
    if (i->settings.len > 0)
        ask_sshd_forward(i);
}

int admission_ask(struct ctl *ctl, const struct sshd *s, const struct admission_question *q,
                  struct admission_answer *ret)
{
    *ret = (struct admission_answer){0};
    struct inquiry i = {.ctl = ctl, .q = q, .answer = ret};
    ask_before_lease(&i, s);
    int code = ctl_open_read(ctl);
    if (code == EXIT_DONE)
        code = ask_lease(&i);
    ctl_close(ctl);
    if (code == EXIT_DONE) {
        ask_akc(&i);
        ask_after_lease(&i);
    }
    if (code == EXIT_DONE && ret->findings.failed)
        code = ctl_error(ctl, EXIT_FAILED, "out of memory");
    buf_release(&i.settings);
    return code;
}

void admission_answer_release(struct admission_answer *a)
{
    findings_release(&a->findings);
    buf_release(&a->line);
    buf_release(&a->admits);
}

enum admission_verdict admission_verdict(const struct admission_answer *a)
{
    if (finding_first(&a->findings, ADMISSION_REFUSES) != NULL)
        return ADMISSION_IS_REFUSED;
    if (finding_first(&a->findings, ADMISSION_ELSEWHERE) != NULL)
        return ADMISSION_NOT_KNOWN;
    return ADMISSION_IS_ADMITTED;
}

/* Moves a finding to the end of found, unless it is there. */
static void keep_finding(struct admission_finding *from, struct admission_findings *found)
{
    const char *what = buf_text(&from->what);
    for (size_t n = 0; n < found->count; n++) {
        const char *other = buf_text(&found->items[n].what);
        if (what != NULL && other != NULL && strcmp(what, other) == 0)
            return;
    }
    finding_add(found, from->layer, from->effect, from->rule, "%s", what != NULL ? what : "");
    finding_why(found, "%s", buf_text_or(&from->why, ""));
    finding_mend(found, "%s", buf_text_or(&from->mend, ""));
}

size_t admission_ask_host(struct ctl *ctl, const struct sshd *s, const char *login,
                          const struct pubkey *keys, size_t count, struct admission_findings *found)
{
    struct admission_question q = {.login = login};
    struct admission_answer answer = {0};
    struct inquiry i = {.ctl = ctl, .q = &q, .answer = &answer};
    ask_before_lease(&i, s);
    ask_after_lease(&i);
    for (size_t n = 0; i.settings.len > 0 && n < count; n++) {
        q.key = &keys[n];
        ask_sshd_key(&i);
    }
    for (size_t n = 0; n < answer.findings.count; n++)
        keep_finding(&answer.findings.items[n], found);
    found->failed = found->failed || answer.findings.failed;
    const size_t findings = answer.findings.count;
    admission_answer_release(&answer);
    buf_release(&i.settings);
    return findings;
}

bool admission_why(struct ctl *ctl, const struct sshd *s, const struct admission_question *q,
                   struct buf *why, struct buf *mend)
{
    struct admission_answer a;
    int code = admission_ask(ctl, s, q, &a);
    const struct admission_finding *f = finding_first(&a.findings, ADMISSION_REFUSES);
    if (f == NULL)
        f = finding_first(&a.findings, ADMISSION_ELSEWHERE);
    if (code == EXIT_DONE && f != NULL) {
        buf_addf(why, "%s: %s", admission_layer_name(f->layer), buf_text_or(&f->what, ""));
        buf_add(mend, buf_text_or(&f->mend, ""));
    }
    admission_answer_release(&a);
    return code == EXIT_DONE && f != NULL;
}
