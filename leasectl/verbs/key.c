/* SPDX-License-Identifier: ISC */
/* leasectl key add, key remove: the keys of one lease. */
#include "leasectl/ctl_store.h"
#include "leasectl/lease/change.h"
#include "leasectl/lease/key.h"
#include "leasectl/lease/terms.h"
#include "leasectl/rehearsal/rehearsal.h"
#include "leasectl/sessions/enforce.h"
#include "leasectl/verbs.h"
#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/store/changes.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int apply_add(struct ctl *ctl, const struct lease *l, const struct store_actor *by,
                     void *ctx)
{
    const struct lease_key *key = ctx;
    struct store_conflict conflict;
    if (l->revoked_s != 0)
        return change_refuse_revoked(ctl, l);
    if (l->key_count == LEASE_KEYS_MAX)
        return ctl_error(ctl, EXIT_CONFLICT,
                         "'%s' has %d keys, which is the most: remove one first", l->name,
                         LEASE_KEYS_MAX);
    enum store_rc rc = store_key_add(ctl->store, l, key, by, &conflict);
    if (rc == STORE_CONFLICT)
        return terms_report_conflict(ctl, l, &conflict);
    return rc == STORE_OK ? EXIT_DONE : ctl_store_error(ctl, rc);
}

static int apply_remove(struct ctl *ctl, const struct lease *l, const struct store_actor *by,
                        void *ctx)
{
    const char *fingerprint = ctx;
    if (l->revoked_s != 0)
        return change_refuse_revoked(ctl, l);
    enum store_rc rc = store_key_remove(ctl->store, l, fingerprint, by);
    if (rc == STORE_NONE)
        return ctl_error(ctl, EXIT_NO_SUCH, "'%s' has no key %s: see 'leasectl show %s'", l->name,
                         fingerprint, l->name);
    if (rc == STORE_OK && l->key_count == 1)
        ctl_warn(ctl, "'%s' has no key left: nobody can use it until one is added", l->name);
    if (rc != STORE_OK)
        return ctl_store_error(ctl, rc);
    const struct enforce_scope scope = {.lease = l};
    int code = rehearsal_note_lease(ctl, "remove-key", l, fingerprint);
    return code == EXIT_DONE ? rehearsal_judge(ctl, &scope) : code;
}

/* A change that the arguments name. */
struct request {
    const char *ref;
    bool adding;
    struct lease_key key;    /* to add */
    const char *fingerprint; /* of key, or of the key to remove */
};

static int change(struct ctl *ctl, struct request *req, struct lease *ret_before)
{
    int code = ctl_open_write(ctl);
    if (code != EXIT_DONE)
        return code;
    return req->adding ? change_lease(ctl, req->ref, apply_add, &req->key, ret_before)
                       : change_lease(ctl, req->ref, apply_remove,
                                      (void *)(uintptr_t)req->fingerprint, ret_before);
}

static int change_in_rehearsal(struct ctl *ctl, void *req)
{
    struct lease before = {0};
    int code = change(ctl, req, &before);
    lease_release(&before);
    return code;
}

static int parse_removal(struct ctl *ctl, const char *fingerprint)
{
    if (strncmp(fingerprint, "SHA256:", 7) == 0 && strlen(fingerprint) == FINGERPRINT_BYTES - 1)
        return EXIT_DONE;
    return ctl_error(ctl, EXIT_USAGE, "'%s' is no fingerprint like SHA256:...",
                     text_clip(fingerprint).s);
}

/* Reads a key that is to be added. */
static int parse_addition(struct ctl *ctl, const char *file, struct lease_key *ret)
{
    int code = key_read_file(ctl, file, ret);
    return code == EXIT_DONE ? key_check(ctl, &ret->pub) : code;
}

int cmd_key(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {
        {"key", required_argument, NULL, 'k'}, REHEARSAL_OPTIONS, {NULL, 0, NULL, 0}};
    struct rehearsal_options rehearsal = {.dry_run = false};
    const char *file = NULL;
    struct lease before = {0};
    struct request req = {.ref = NULL};
    char said[LEASE_NAME_MAX + 128];
    const int64_t begun_s = clock_now_s();
    bool go_on = true;
    int opt, code;

    while ((opt = ctl_option(ctl, argc, argv, options)) != -1)
        if (opt == 'k')
            file = optarg;
        else if (!rehearsal_take_option(&rehearsal, opt))
            return EXIT_USAGE;
    int words = argc - optind;
    const char *action = words > 0 ? argv[optind] : "";
    req.adding = strcmp(action, "add") == 0 && words == 2 && file != NULL;
    bool removing = strcmp(action, "remove") == 0 && words == 3 && file == NULL;
    if (!req.adding && !removing)
        return ctl_usage(ctl, "key takes add NAME --key FILE, or remove NAME FINGERPRINT");
    if (req.adding && (rehearsal.dry_run || rehearsal.yes))
        return ctl_usage(ctl, "--dry-run and --yes are for key remove: key add ends no session");
    req.ref = argv[optind + 1];
    req.fingerprint = removing ? argv[optind + 2] : req.key.pub.fingerprint;
    code = removing ? parse_removal(ctl, req.fingerprint) : parse_addition(ctl, file, &req.key);
    if (code == EXIT_DONE && removing)
        code = rehearse(ctl, &rehearsal, change_in_rehearsal, &req, &go_on);
    if (code != EXIT_DONE || !go_on)
        return code;
    code = change(ctl, &req, &before);
    if (code == EXIT_DONE) {
        (void)snprintf(said, sizeof(said), "%s key %s %s '%s' (#%" PRId64 ")",
                       req.adding ? "added" : "removed", req.fingerprint,
                       req.adding ? "to" : "from", before.name, before.id);
        code = change_print(ctl, before.id, said);
    }
    if (code == EXIT_DONE && req.adding)
        code = sessions_enforce_new_key(ctl, &before, req.fingerprint, begun_s);
    if (code == EXIT_DONE && removing) {
        const struct enforce_scope scope = {.lease = &before};
        code = sessions_enforce(ctl, &scope);
    }
    lease_release(&before);
    return code;
}
