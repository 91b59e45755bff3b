/* SPDX-License-Identifier: ISC */
/* leasectl key add, key remove: the keys of one lease. */
#include "leasectl/ctl_store.h"
#include "leasectl/lease/change.h"
#include "leasectl/lease/key.h"
#include "leasectl/lease/terms.h"
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
    return rc == STORE_OK ? EXIT_DONE : ctl_store_error(ctl, rc);
}

int cmd_key(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {{"key", required_argument, NULL, 'k'},
                                            {NULL, 0, NULL, 0}};
    const char *file = NULL;
    struct lease before = {0};
    struct lease_key key;
    char said[LEASE_NAME_MAX + 128];
    const int64_t begun_s = clock_now_s();
    int opt, code = EXIT_DONE;

    while ((opt = ctl_option(ctl, argc, argv, options)) != -1) {
        if (opt != 'k')
            return EXIT_USAGE;
        file = optarg;
    }
    int words = argc - optind;
    const char *action = words > 0 ? argv[optind] : "";
    bool adding = strcmp(action, "add") == 0 && words == 2 && file != NULL;
    bool removing = strcmp(action, "remove") == 0 && words == 3 && file == NULL;
    if (!adding && !removing)
        return ctl_usage(ctl, "key takes add NAME --key FILE, or remove NAME FINGERPRINT");
    const char *fingerprint = removing ? argv[optind + 2] : key.pub.fingerprint;
    if (removing &&
        (strncmp(fingerprint, "SHA256:", 7) != 0 || strlen(fingerprint) != FINGERPRINT_BYTES - 1))
        return ctl_error(ctl, EXIT_USAGE, "'%s' is no fingerprint like SHA256:...",
                         text_clip(fingerprint).s);
    if (adding)
        code = key_read_file(ctl, file, &key);
    if (code == EXIT_DONE && adding)
        code = key_check(ctl, &key.pub);
    if (code == EXIT_DONE)
        code = ctl_open_write(ctl);
    if (code == EXIT_DONE)
        code = adding
                   ? change_lease(ctl, argv[optind + 1], apply_add, &key, &before)
                   : change_lease(ctl, argv[optind + 1], apply_remove, argv[optind + 2], &before);
    if (code == EXIT_DONE) {
        (void)snprintf(said, sizeof(said), "%s key %s %s '%s' (#%" PRId64 ")",
                       adding ? "added" : "removed", fingerprint, adding ? "to" : "from",
                       before.name, before.id);
        code = change_print(ctl, before.id, said);
    }
    if (code == EXIT_DONE && adding)
        code = sessions_enforce_new_key(ctl, &before, fingerprint, begun_s);
    if (code == EXIT_DONE && removing) {
        const struct enforce_scope scope = {.lease = &before};
        code = sessions_enforce(ctl, &scope);
    }
    lease_release(&before);
    return code;
}
