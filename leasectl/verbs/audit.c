/* SPDX-License-Identifier: ISC */
/* leasectl audit: what was changed, by whom; whether the chain of it is whole; its head. */
#include "leasectl/audit/checkpoint.h"
#include "leasectl/audit/list.h"
#include "leasectl/audit/verify.h"
#include "leasectl/ctl_store.h"
#include "leasectl/show/json.h"
#include "leasectl/sign/sign.h"
#include "leasectl/verbs.h"
#include "lib/base/buf.h"
#include "lib/base/hex.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/lease/duration.h"
#include "lib/lease/time_text.h"
#include "lib/store/leases.h"
#include "lib/wire/json.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct request {
    const char *lease, *since, *checkpoint, *signers, *key;
};

/* ---- list ---- */

/* A duration counts back from now. A day alone begins with its first second, where that of --until
 * ends with its last. */
static int parse_since(const struct ctl *ctl, const char *text, int64_t *ret_s)
{
    char day[] = "2026-12-01 00:00";
    const size_t day_bytes = strlen("2026-12-01");
    int64_t ago_s;
    if (duration_parse(text, &ago_s) == 0) {
        *ret_s = ctl->now_s - ago_s;
        return EXIT_DONE;
    }
    if (strlen(text) == day_bytes) {
        memcpy(day, text, day_bytes);
        text = day;
    }
    if (time_parse(text, ret_s) == 0)
        return EXIT_DONE;
    return ctl_error(ctl, EXIT_USAGE,
                     "--since '%s' is no time like 2026-12-01, '2026-12-01 18:00' or "
                     "2026-12-01T18:00:00Z, and no duration like 2h",
                     text_clip(text).s);
}

/* By the name that a lease had when the row was written, or by its number: it may be deleted. The
 * rows of a freeze have a name of their own, !LOGIN or !*. */
static int parse_lease(const struct ctl *ctl, const char *ref, struct audit_filter *filter)
{
    if (ref[0] == '#') {
        if (!number_parse(ref + 1, strlen(ref + 1), 1, INT64_MAX, &filter->lease_id))
            return ctl_error(ctl, EXIT_USAGE, "'%s' is no lease number like #17", text_clip(ref).s);
        return EXIT_DONE;
    }
    const char *problem = ref[0] != '!' ? lease_name_problem(ref) : NULL;
    if (problem != NULL)
        return ctl_error(ctl, EXIT_USAGE, "the name '%s' %s", text_clip(ref).s, problem);
    filter->lease = ref;
    return EXIT_DONE;
}

static int note_found(void *ctx, const struct audit_record *r)
{
    (void)r;
    *(bool *)ctx = true;
    return 0;
}

/* A lease that the audit does not know, or no longer, may still be there; else it was mistyped. */
static int check_lease(struct ctl *ctl, const char *ref, const struct audit_filter *filter)
{
    const struct audit_filter ever = {.after_seq = INT64_MIN,
                                      .limit = 1,
                                      .since_s = INT64_MIN,
                                      .lease = filter->lease,
                                      .lease_id = filter->lease_id};
    struct lease l = {0};
    bool found = false;
    enum store_rc rc = audit_list(ctl->store, &ever, note_found, &found);
    if (rc == STORE_OK && !found) {
        rc = filter->lease != NULL ? store_lease_by_name(ctl->store, filter->lease, &l)
                                   : store_lease_by_id(ctl->store, filter->lease_id, &l);
        lease_release(&l);
    }
    if (rc == STORE_NONE)
        return ctl_error(ctl, EXIT_NO_SUCH, "the audit has no row of a lease '%s'",
                         text_clip(ref).s);
    return rc == STORE_OK ? EXIT_DONE : ctl_store_error(ctl, rc);
}

static int list(struct ctl *ctl, const struct request *req)
{
    struct audit_filter filter = {.since_s = INT64_MIN};
    size_t count = 0;
    int code = EXIT_DONE;
    if (req->since != NULL)
        code = parse_since(ctl, req->since, &filter.since_s);
    if (code == EXIT_DONE && req->lease != NULL)
        code = parse_lease(ctl, req->lease, &filter);
    if (code == EXIT_DONE)
        code = ctl_open_read(ctl);
    if (code == EXIT_DONE && req->lease != NULL)
        code = check_lease(ctl, req->lease, &filter);
    if (code == EXIT_DONE)
        code = audit_list_show(ctl, &filter, &count);
    if (code == EXIT_DONE && count == 0 && ctl->terminal && !ctl->json)
        (void)fputs("no rows\n", stderr);
    return code;
}

/* ---- checkpoint ---- */

static int read_head(struct ctl *ctl, struct audit_head *ret)
{
    int code = ctl_open_read(ctl);
    if (code != EXIT_DONE)
        return code;
    enum store_rc rc = audit_head(ctl->store, ret);
    code = rc == STORE_OK ? EXIT_DONE : ctl_store_error(ctl, rc);
    ctl_close(ctl);
    return code;
}

static int print_json(const struct ctl *ctl, const struct audit_head *head, const struct buf *text,
                      const struct buf *signature)
{
    char hash[AUDIT_HEX_BYTES], at[TIME_TEXT_BYTES], row_at[TIME_TEXT_BYTES];
    hex_encode(head->hash, AUDIT_HASH_BYTES, hash);
    time_format_rfc3339(ctl->now_s, at);
    time_format_rfc3339(head->time_s, row_at);
    const struct json_field fields[] = {
        {.name = "host", .text = ctl->conf.public_host},
        {.name = "database", .text = ctl->conf.paths.database},
        {.name = "at", .text = at},
        {.name = "seq", .is_number = true, .number = head->seq},
        {.name = "hash", .text = hash},
        {.name = "row_at", .text = head->seq != 0 ? row_at : NULL},
        {.name = "text", .text = buf_text(text)},
        {.name = "signature", .text = signature->len > 0 ? buf_text(signature) : NULL}};
    return show_json_object(ctl, fields, sizeof(fields) / sizeof(fields[0]));
}

static int checkpoint(struct ctl *ctl, const struct request *req)
{
    struct audit_head head;
    struct buf text = {0}, signature = {0};
    int code = read_head(ctl, &head);
    if (code != EXIT_DONE)
        return code;
    checkpoint_add_text(ctl, &head, &text);
    if (buf_text(&text) == NULL)
        code = ctl_error(ctl, EXIT_FAILED, "out of memory");
    if (code == EXIT_DONE && req->key != NULL)
        code = sign_text(ctl, req->key, SIGN_AUDIT, &text, &signature);
    if (code == EXIT_DONE && ctl->json)
        code = print_json(ctl, &head, &text, &signature);
    else if (code == EXIT_DONE)
        (void)printf("%s%s", signature.len > 0 ? buf_text(&signature) : "", buf_text(&text));
    if (code == EXIT_DONE)
        checkpoint_log(&head);
    buf_release(&text);
    buf_release(&signature);
    return code;
}

/* ---- the command ---- */

static int take_option(struct ctl *ctl, int opt, struct request *req)
{
    const char **const fields[] = {&req->lease, &req->since, &req->checkpoint, &req->signers,
                                   &req->key};
    if (opt < 0 || (size_t)opt >= sizeof(fields) / sizeof(fields[0]))
        return EXIT_USAGE;
    if (*fields[opt] != NULL)
        return ctl_usage(ctl, "each option is given once");
    *fields[opt] = optarg;
    return EXIT_DONE;
}

int cmd_audit(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {
        {"lease", required_argument, NULL, 0},      {"since", required_argument, NULL, 1},
        {"checkpoint", required_argument, NULL, 2}, {"signers", required_argument, NULL, 3},
        {"sign", required_argument, NULL, 4},       {NULL, 0, NULL, 0}};
    struct request req = {.lease = NULL};
    int opt;
    while ((opt = ctl_option(ctl, argc, argv, options)) != -1) {
        int code = take_option(ctl, opt, &req);
        if (code != EXIT_DONE)
            return code;
    }
    const char *action = optind < argc ? argv[optind] : "list";
    bool lists = optind == argc, is_one = argc - optind == 1;
    bool of_list = req.lease != NULL || req.since != NULL;
    bool of_verify = req.checkpoint != NULL || req.signers != NULL;
    if (lists && !of_verify && req.key == NULL)
        return list(ctl, &req);
    if (is_one && strcmp(action, "verify") == 0 && !of_list && req.key == NULL &&
        (req.signers == NULL || req.checkpoint != NULL))
        return audit_verify_show(ctl, req.checkpoint, req.signers);
    if (is_one && strcmp(action, "checkpoint") == 0 && !of_list && !of_verify)
        return checkpoint(ctl, &req);
    return ctl_usage(ctl, "audit takes [--lease NAME] [--since TIME], verify [--checkpoint FILE "
                          "[--signers FILE]], or checkpoint [--sign KEY]");
}
