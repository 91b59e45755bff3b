/* SPDX-License-Identifier: ISC */
#include "leasectl/prove/report.h"

#include "leasectl/audit/checkpoint.h"
#include "leasectl/audit/fault.h"
#include "leasectl/child.h"
#include "leasectl/host/gateway.h"
#include "leasectl/prove/claims.h"
#include "leasectl/sign/sign.h"
#include "lib/base/hex.h"
#include "lib/base/text.h"
#include "lib/lease/time_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

static const char *const words[] = {"pass", "FAIL", "not run"};

/* ---- what it comes to ---- */

struct sum {
    unsigned trials[3]; /* by outcome */
    unsigned claims, tried, not_tried;
    struct buf failed, not_run; /* the ids */
};

static void sum_up(const struct report *r, struct sum *ret)
{
    *ret = (struct sum){.claims = (unsigned)claim_count};
    for (size_t i = 0; i < claim_count; i++)
        ret->tried += claims[i].trials != NULL;
    ret->not_tried = ret->claims - ret->tried;
    for (size_t i = 0; i < trial_count; i++) {
        const enum outcome outcome = proof_outcome(r->proof, trials[i].id);
        struct buf *to = outcome == OUTCOME_FAIL ? &ret->failed : &ret->not_run;
        ret->trials[outcome]++;
        if (outcome != OUTCOME_PASS)
            buf_addf(to, "%s%s", to->len > 0 ? ", " : "", trials[i].id);
    }
}

static void sum_release(struct sum *s)
{
    buf_release(&s->failed);
    buf_release(&s->not_run);
}

static bool is_whole(const struct report *r)
{
    return !r->proof->lost && r->leases->problem == NULL &&
           r->leases->listed == r->leases->active && r->sessions->problem == NULL &&
           r->doctor->ran && r->audit->known;
}

enum report_result report_result(const struct report *r)
{
    bool not_run = !is_whole(r);
    for (size_t i = 0; i < trial_count; i++) {
        const enum outcome outcome = proof_outcome(r->proof, trials[i].id);
        if (outcome == OUTCOME_FAIL)
            return REPORT_FAIL;
        not_run = not_run || outcome == OUTCOME_NOT_RUN;
    }
    if (r->doctor->failed > 0)
        return REPORT_FAIL;
    return not_run ? REPORT_INCOMPLETE : REPORT_PASS;
}

void report_summary(const struct report *r, struct buf *out)
{
    struct sum s;
    sum_up(r, &s);
    buf_addf(out, "%u of %zu trials passed", s.trials[OUTCOME_PASS], trial_count);
    if (s.failed.len > 0)
        buf_addf(out, "; FAIL: %s", buf_text(&s.failed));
    if (s.not_run.len > 0)
        buf_addf(out, "; not run: %s", buf_text(&s.not_run));
    if (r->doctor->failed > 0)
        buf_addf(out, "; doctor: %u failed", r->doctor->failed);
    else if (!r->doctor->ran)
        buf_add(out, "; doctor did not come to its end");
    if (r->leases->problem != NULL)
        buf_addf(out, "; %s", r->leases->problem);
    else if (r->leases->listed < r->leases->active)
        buf_add(out, "; not all leases are listed");
    if (r->sessions->problem != NULL)
        buf_addf(out, "; %s", r->sessions->problem);
    if (!r->audit->known)
        buf_add(out, "; the audit could not be read");
    if (r->proof->lost)
        buf_add(out, "; results were lost");
    sum_release(&s);
}

/* ---- its sections ---- */

static void add_heading(struct buf *out, unsigned number, const char *title)
{
    buf_addf(out, "\n%u. %s\n\n", number, title);
}

static void add_line(struct buf *out, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void add_line(struct buf *out, const char *name, const char *fmt, ...)
{
    struct buf text = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_vaddf(&text, fmt, ap);
    va_end(ap);
    buf_addf(out, "  %-14s ", name);
    text_add_escaped(out, buf_text_or(&text, "?"));
    buf_add(out, "\n");
    buf_release(&text);
}

static void add_summary(const struct report *r, struct buf *out)
{
    static const char *const results[] = {"PASS", "INCOMPLETE", "FAIL"};
    char made[TIME_TEXT_BYTES];
    struct buf summary = {0};
    struct sum s;
    sum_up(r, &s);
    report_summary(r, &summary);
    time_format_rfc3339(r->proof->ctl->now_s, made);
    add_heading(out, 1, "Summary");
    add_line(out, "result", "%s: %s", results[report_result(r)], buf_text(&summary));
    add_line(out, "made", "%s, in %" PRId64 " s, by %s", made, r->took_s, r->proof->ctl->actor);
    add_line(out, "claims", "%u in docs/security.md: %u tried (section 5), %u not (section 6)",
             s.claims, s.tried, s.not_tried);
    add_line(out, "leases", "%zu active (section 3)", r->leases->active);
    add_line(out, "live sessions", "%zu (section 4)", r->sessions->count);
    buf_release(&summary);
    sum_release(&s);
}

static void add_host(const struct report *r, struct buf *out)
{
    const struct ctl *ctl = r->proof->ctl;
    struct utsname host;
    struct pubkey key;
    struct buf why = {0};
    add_heading(out, 2, "Host");
    if (uname(&host) == 0) {
        add_line(out, "name", "%s, told to holders as %s port %u", host.nodename,
                 ctl->conf.public_host, ctl->conf.public_port);
        add_line(out, "kernel", "%s %s %s", host.sysname, host.release, host.machine);
    }
    add_line(out, "tunlease", "%s, configured by '%s'", TUNLEASE_VERSION, ctl_conf_name(ctl));
    if (r->sshd != NULL)
        add_line(out, "sshd", "'%s', OpenSSH %u.%u, %s", r->sshd->path,
                 r->sshd->program_version.major, r->sshd->program_version.minor, r->sshd->how);
    else
        add_line(out, "sshd", "none was found");
    if (gateway_host_key(&ctl->conf, &key, &why) == 0)
        add_line(out, "host key", "%s %s", key.fingerprint, key.type);
    else
        add_line(out, "host key", "not known: %s", buf_text(&why));
    add_line(out, "store", "'%s'", ctl->conf.paths.database);
    buf_release(&why);
}

static void add_leases(const struct report *r, struct buf *out)
{
    const struct leases_report *l = r->leases;
    add_heading(out, 3, "Who may reach what until when");
    buf_addf(out, "  %zu active lease%s. Times are in UTC.\n", l->active,
             l->active == 1 ? "" : "s");
    if (l->problem != NULL)
        buf_addf(out, "  NOT KNOWN: %s.\n", l->problem);
    if (l->listed < l->active)
        buf_addf(out, "  The first %zu are listed.\n", l->listed);
    if (l->freezes.len > 0)
        buf_addf(out, "\n  Frozen, so that nobody is let in there:\n%s", buf_text(&l->freezes));
    buf_add(out, l->text.len > 0 ? buf_text(&l->text) : "");
    add_heading(out, 4, "Live sessions now");
    if (r->sessions->problem != NULL)
        buf_addf(out, "  NOT KNOWN: %s.\n", r->sessions->problem);
    else
        buf_add(out, r->sessions->text.len > 0 ? buf_text(&r->sessions->text) : "  None.\n");
}

static void add_trial(const struct report *r, const struct claim *c, const struct trial *t,
                      struct buf *out)
{
    if (!claim_has_trial(c, t->id))
        return;
    buf_addf(out, "    %-8s %s: %s\n", words[proof_outcome(r->proof, t->id)], t->id, t->how);
    for (size_t i = 0; i < r->proof->count; i++) {
        const struct proof_result *result = &r->proof->results[i];
        if (result->trial == t)
            buf_addf(out, "      %-8s %s: %s\n", words[result->outcome], result->what,
                     result->evidence);
    }
}

static void add_claims(const struct report *r, struct buf *out)
{
    add_heading(out, 5, "Claims of docs/security.md that were tried now");
    buf_add(out,
            "  Below a claim are its trials, and what each of them saw. A claim may say more than "
            "its trials\n  show here: what holds the rest of it is in docs/security.md.\n\n");
    for (size_t i = 0; i < claim_count; i++) {
        if (claims[i].trials == NULL)
            continue;
        buf_addf(out, "  %s\n    (docs/security.md, '%s')\n", claims[i].text, claims[i].section);
        for (size_t k = 0; k < trial_count; k++)
            add_trial(r, &claims[i], &trials[k], out);
        buf_add(out, "\n");
    }
    add_heading(out, 6, "Claims that cannot be tried on a gateway in use, and why");
    for (size_t i = 0; i < claim_count; i++)
        if (claims[i].trials == NULL)
            buf_addf(out, "  %s\n    (docs/security.md, '%s')\n    not tried: %s\n\n",
                     claims[i].text, claims[i].section, claims[i].not_tried);
}

/* The head once more, as `leasectl audit verify` takes it. */
static void add_checkpoint(const struct report *r, struct buf *out)
{
    const struct audit_report *a = &r->audit->report;
    struct audit_head head = {.seq = a->last_seq, .time_s = a->head_time_s};
    memcpy(head.hash, a->head, sizeof(head.hash));
    buf_add(out,
            "\n  Keep this report on another machine. With its checkpoint it shows later whether "
            "newer rows were cut\n  off, or all of them written anew:\n\n"
            "  sed -n '/^tunlease audit checkpoint 1$/,/^row-at /p' FILE >CHECKPOINT\n"
            "  leasectl audit verify --checkpoint CHECKPOINT\n\n");
    checkpoint_add_text(r->proof->ctl, &head, out);
}

static void add_audit(const struct report *r, struct buf *out)
{
    char head[2 * AUDIT_HASH_BYTES + 1], time[TIME_TEXT_BYTES];
    struct buf fault = {0};
    const struct audit_report *a = &r->audit->report;
    add_heading(out, 8, "Audit");
    if (!r->audit->known) {
        buf_add(out, "  NOT KNOWN: it could not be read.\n");
        return;
    }
    hex_encode(a->head, sizeof(a->head), head);
    time_format_rfc3339(a->head_time_s, time);
    if (!r->audit->verified) {
        add_line(out, "chain", "NOT KNOWN: see audit-chain in section 5");
    } else if (a->broken_seq != 0) {
        audit_fault_describe(a, &fault);
        add_line(out, "chain", "BROKEN: %s", child_text(&fault));
    } else {
        add_line(out, "chain", "whole: rows %" PRId64 " to %" PRId64, a->first_seq, a->last_seq);
    }
    add_line(out, "head", "%s", head);
    add_line(out, "", "of row %" PRId64 ", written at %s", a->last_seq, time);
    if (r->audit->verified && a->broken_seq == 0)
        add_checkpoint(r, out);
    buf_release(&fault);
}

static void add_json(const struct report *r, struct buf *out)
{
    add_heading(out, 9, "The same as JSON (docs/schema/prove.json)");
    buf_add(out, "  sed -n '/^" REPORT_JSON_BEGIN "$/,/^" REPORT_JSON_END "$/{//!p}' FILE\n\n");
    buf_add(out, REPORT_JSON_BEGIN "\n");
    report_add_json(r, out);
    buf_add(out, "\n" REPORT_JSON_END "\n");
}

void report_format(const struct report *r, struct buf *out)
{
    buf_add(out, "tunlease report: who may reach what through this gateway, and what holds\n");
    if (r->is_signed)
        buf_add(
            out,
            "\nIt is signed. To verify it, with the signer's public key in a file of lines `NAME "
            "KEY`\n(ssh-keygen(1), ALLOWED SIGNERS):\n\n"
            "  sed '1,/^-----END SSH SIGNATURE-----$/d' FILE |\n"
            "    ssh-keygen -Y verify -f ALLOWED_SIGNERS -I NAME -n " SIGN_REPORT " -s FILE\n");
    add_summary(r, out);
    add_host(r, out);
    add_leases(r, out);
    add_claims(r, out);
    add_heading(out, 7, "What leasectl doctor finds");
    buf_add(out, buf_text_or(&r->doctor->text, ""));
    add_audit(r, out);
    add_json(r, out);
}
