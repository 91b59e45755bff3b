/* SPDX-License-Identifier: ISC */
#include "leasectl/audit/verify.h"

#include "leasectl/audit/checkpoint.h"
#include "leasectl/audit/fault.h"
#include "leasectl/ctl_store.h"
#include "leasectl/show/json.h"
#include "leasectl/sign/sign.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/hex.h"
#include "lib/base/text.h"
#include "lib/lease/time_text.h"
#include "lib/store/audit_verify.h"
#include "lib/wire/json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PROGRESS_AFTER_MS = 500 };

/* How a checkpoint agrees with the chain. */
enum agreement { AGREES, ROWS_MISSING, DIFFERS, PRUNED, NOT_COMPARED };

/* What is asked, and what was found. */
struct trial {
    struct ctl *ctl;
    const char *file; /* of the checkpoint; NULL: none */
    struct buf document;
    struct checkpoint checkpoint;
    enum { UNSIGNED, UNCHECKED, GOOD, BAD } signature;
    struct buf signer, bad_because;
    struct audit_report report;
    enum agreement agreement;
    int64_t begun_ms;
    bool progress_is_shown;
};

/* ---- the checkpoint ---- */

/* As who runs leasectl: the store is not open yet. */
static int read_document(struct trial *t)
{
    char chunk[4096];
    size_t n;
    FILE *f = fopen(t->file, "re");
    if (f == NULL)
        return ctl_error(t->ctl, EXIT_USAGE, "cannot read the checkpoint '%s': %s",
                         text_clip(t->file).s, strerror(errno));
    errno = 0;
    while (t->document.len <= CHECKPOINT_FILE_MAX && (n = fread(chunk, 1, sizeof(chunk), f)) > 0)
        buf_add_mem(&t->document, chunk, n);
    bool failed = ferror(f) != 0 || buf_text(&t->document) == NULL;
    int saved = errno;
    (void)fclose(f);
    if (failed)
        return ctl_error(t->ctl, EXIT_USAGE, "cannot read the checkpoint '%s': %s",
                         text_clip(t->file).s, strerror(saved));
    if (t->document.len > CHECKPOINT_FILE_MAX || strlen(buf_text(&t->document)) != t->document.len)
        return ctl_error(t->ctl, EXIT_USAGE, "'%s' is no checkpoint", text_clip(t->file).s);
    return EXIT_DONE;
}

static int check_signature(struct trial *t, const char *text, const char *signers)
{
    const char *document = buf_text(&t->document);
    t->signature = sign_is_signed(document) ? UNCHECKED : UNSIGNED;
    if (signers == NULL)
        return EXIT_DONE;
    if (t->signature == UNSIGNED) {
        t->signature = BAD;
        buf_add(&t->bad_because, "it has none");
        return EXIT_DONE;
    }
    switch (sign_check(t->file, text, signers, SIGN_AUDIT, &t->signer, &t->bad_because)) {
    case SIGNATURE_GOOD:
        t->signature = GOOD;
        return EXIT_DONE;
    case SIGNATURE_BAD:
        t->signature = BAD;
        return EXIT_DONE;
    case SIGNATURE_CANNOT_TELL:
        break;
    }
    return ctl_error(t->ctl, EXIT_USAGE, "the signature of '%s' could not be checked: %s",
                     text_clip(t->file).s, buf_text(&t->bad_because));
}

static int read_checkpoint(struct trial *t, const char *signers)
{
    int code = read_document(t);
    if (code != EXIT_DONE)
        return code;
    const char *text = sign_skip_signature(buf_text(&t->document));
    const char *problem = checkpoint_parse(text, &t->checkpoint);
    if (problem != NULL)
        return ctl_error(t->ctl, EXIT_USAGE, "'%s': %s", text_clip(t->file).s, problem);
    if (strcmp(t->checkpoint.host, t->ctl->conf.public_host) != 0)
        ctl_warn(t->ctl, "the checkpoint is of the host '%s', and this one is '%s'",
                 text_clip(t->checkpoint.host).s, t->ctl->conf.public_host);
    return check_signature(t, text, signers);
}

static enum agreement compare(const struct trial *t)
{
    char hash[AUDIT_HEX_BYTES];
    const struct audit_report *r = &t->report;
    hex_encode(r->at_hash, AUDIT_HASH_BYTES, hash);
    if (t->checkpoint.seq == 0)
        return AGREES; /* the audit was empty */
    if (r->at_found)
        return strcmp(hash, t->checkpoint.hash) == 0 ? AGREES : DIFFERS;
    if (r->broken_seq != 0)
        return NOT_COMPARED;
    return t->checkpoint.seq > r->last_seq ? ROWS_MISSING : PRUNED;
}

/* ---- the chain ---- */

static void show_progress(void *arg, int64_t rows)
{
    struct trial *t = arg;
    if (isatty(STDERR_FILENO) != 1 || clock_monotonic_ms() - t->begun_ms < PROGRESS_AFTER_MS)
        return;
    (void)fprintf(stderr, "\r%" PRId64 " rows are verified", rows);
    t->progress_is_shown = true;
}

static int verify_chain(struct trial *t)
{
    const struct audit_inquiry q = {
        .at_seq = t->file != NULL ? t->checkpoint.seq : 0, .progress = show_progress, .arg = t};
    int code = ctl_open_read(t->ctl);
    if (code != EXIT_DONE)
        return code;
    t->begun_ms = clock_monotonic_ms();
    enum store_rc rc = audit_verify_at(t->ctl->store, &q, &t->report);
    if (t->progress_is_shown)
        (void)fputs("\r\x1b[K", stderr);
    if (rc != STORE_OK)
        code = ctl_store_error(t->ctl, rc);
    ctl_close(t->ctl);
    t->agreement = compare(t);
    return code;
}

/* ---- what was found ---- */

static void say_chain(const struct trial *t, const char *head)
{
    const struct audit_report *r = &t->report;
    struct buf fault = {0};
    if (r->broken_seq != 0) {
        audit_fault_describe(r, &fault);
        (void)printf("the chain breaks at row %" PRId64 ": %s\n", r->broken_seq,
                     buf_text_or(&fault, "out of memory"));
    } else if (r->rows == 0) {
        (void)puts("the audit is empty");
    } else {
        (void)printf("the chain of %" PRId64 " row%s is whole: %" PRId64 " to %" PRId64
                     ", head %s\n",
                     r->rows, r->rows == 1 ? "" : "s", r->first_seq, r->last_seq, head);
    }
    buf_release(&fault);
}

static void add_agreement(const struct trial *t, struct buf *out)
{
    const struct checkpoint *c = &t->checkpoint;
    const int64_t last = t->report.last_seq;
    switch (t->agreement) {
    case AGREES:
        buf_addf(out, "it agrees with the checkpoint of row %" PRId64 ", made at %s", c->seq,
                 c->at);
        break;
    case ROWS_MISSING:
        buf_addf(out, "it was cut: the checkpoint is of row %" PRId64, c->seq);
        if (t->report.rows > 0)
            buf_addf(out, ", and the newest row is %" PRId64, last);
        break;
    case DIFFERS:
        buf_addf(out,
                 "it does not agree with the checkpoint of row %" PRId64
                 ": rows up to that one were written anew, or this is another store",
                 c->seq);
        break;
    case PRUNED:
        buf_addf(out,
                 "it cannot be compared with the checkpoint: row %" PRId64
                 " was pruned since, and the oldest row is %" PRId64,
                 c->seq, t->report.first_seq);
        break;
    case NOT_COMPARED:
        buf_addf(out,
                 "it cannot be compared with the checkpoint of row %" PRId64
                 ", which is behind that row",
                 c->seq);
        break;
    }
}

static void say_signature(const struct trial *t)
{
    if (t->signature == GOOD)
        text_print(stdout, "the checkpoint is signed by %s", buf_text(&t->signer));
    else if (t->signature == BAD)
        text_print(stdout, "the checkpoint's signature is not good: %s", buf_text(&t->bad_because));
    else if (t->signature == UNCHECKED)
        ctl_warn(t->ctl, "the checkpoint's signature was not checked: --signers FILE checks it");
}

static const char *agreement_name(enum agreement a)
{
    static const char *const names[] = {"agrees", "rows_missing", "differs", "pruned",
                                        "not_compared"};
    return names[a];
}

static int add_checkpoint_json(const struct trial *t, struct buf *out)
{
    static const char *const signatures[] = {"none", "unchecked", "good", "bad"};
    const struct json_field fields[] = {
        {.name = "host", .text = t->checkpoint.host},
        {.name = "at", .text = t->checkpoint.at},
        {.name = "seq", .is_number = true, .number = t->checkpoint.seq},
        {.name = "hash", .text = t->checkpoint.hash},
        {.name = "result", .text = agreement_name(t->agreement)},
        {.name = "signature", .text = signatures[t->signature]},
        {.name = "signer", .text = t->signature == GOOD ? buf_text(&t->signer) : NULL}};
    return json_object_line(fields, sizeof(fields) / sizeof(fields[0]), out);
}

static int print_json(const struct trial *t, const char *head)
{
    const struct audit_report *r = &t->report;
    struct buf fault = {0}, checkpoint = {0};
    char at[TIME_TEXT_BYTES];
    bool broken = r->broken_seq != 0;
    time_format_rfc3339(r->head_time_s, at);
    if (broken)
        audit_fault_describe(r, &fault);
    int rc = t->file != NULL ? add_checkpoint_json(t, &checkpoint) : 0;
    const struct json_field fields[] = {
        {.name = "intact", .is_bool = true, .number = !broken},
        {.name = "rows", .is_number = true, .number = r->rows},
        {.name = "first_seq", .is_number = r->rows > 0, .number = r->first_seq},
        {.name = "last_seq", .is_number = r->rows > 0, .number = r->last_seq},
        {.name = "head", .text = !broken && r->rows > 0 ? head : NULL},
        {.name = "head_at", .text = !broken && r->rows > 0 ? at : NULL},
        {.name = "broken_seq", .is_number = broken, .number = r->broken_seq},
        {.name = "fault", .text = audit_fault_name(r->fault)},
        {.name = "why", .text = broken ? buf_text(&fault) : NULL},
        {.name = "checkpoint", .object = t->file != NULL ? buf_text(&checkpoint) : NULL}};
    int code = rc == 0 ? show_json_object(t->ctl, fields, sizeof(fields) / sizeof(fields[0]))
                       : ctl_error(t->ctl, EXIT_FAILED, "out of memory");
    buf_release(&fault);
    buf_release(&checkpoint);
    return code;
}

static void print_text(const struct trial *t, const char *head)
{
    struct buf agreement = {0};
    say_chain(t, head);
    if (t->file == NULL)
        return;
    add_agreement(t, &agreement);
    text_print(stdout, "%s", buf_text_or(&agreement, "out of memory"));
    say_signature(t);
    buf_release(&agreement);
}

int audit_verify_show(struct ctl *ctl, const char *checkpoint, const char *signers)
{
    struct trial t = {.ctl = ctl, .file = checkpoint};
    char head[AUDIT_HEX_BYTES];
    int code = checkpoint != NULL ? read_checkpoint(&t, signers) : EXIT_DONE;
    if (code == EXIT_DONE)
        code = verify_chain(&t);
    if (code == EXIT_DONE) {
        hex_encode(t.report.head, AUDIT_HASH_BYTES, head);
        if (ctl->json)
            code = print_json(&t, head);
        else
            print_text(&t, head);
        if (t.report.broken_seq != 0 || t.agreement != AGREES || t.signature == BAD)
            code = EXIT_FAILED;
    }
    buf_release(&t.document);
    buf_release(&t.signer);
    buf_release(&t.bad_because);
    return code;
}
