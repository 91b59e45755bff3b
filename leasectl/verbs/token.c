/* SPDX-License-Identifier: ISC */
/* leasectl token: tokens, which let agents register that no admin has added by name. */
#include "leasectl/ctl_store.h"
#include "leasectl/lease/numbered.h"
#include "leasectl/lease/terms.h"
#include "leasectl/show/json.h"
#include "leasectl/show/listing.h"
#include "leasectl/verbs.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/lease/time_text.h"
#include "lib/store/tokens.h"
#include "lib/store/transaction.h"
#include "lib/wire/json.h"

#include <bsd/string.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum { TOKEN_USES_MAX = 10000, TOKEN_TTL_S = 86400 };

/* ---- create ---- */

static int create_in_store(struct ctl *ctl, struct token *t, const char *secret)
{
    const struct store_actor by = ctl_actor(ctl);
    uint8_t hash[SECRET_HASH_BYTES];
    secret_hash(secret, hash);
    enum store_rc rc = store_begin(ctl->store);
    if (rc == STORE_OK)
        rc = store_token_add(ctl->store, t, hash, &by, &t->id);
    if (rc == STORE_OK)
        rc = store_commit(ctl->store);
    store_rollback(ctl->store);
    return rc == STORE_OK ? EXIT_DONE : ctl_store_error(ctl, rc);
}

static int create_token(struct ctl *ctl, struct token *t)
{
    char secret[SECRET_TEXT_BYTES], until[TIME_TEXT_BYTES];
    secret_make(secret);
    int code = ctl_open_write(ctl);
    if (code == EXIT_DONE)
        code = create_in_store(ctl, t, secret);
    if (code != EXIT_DONE)
        return code;
    ctl_changed(ctl, "created token #%lld", (long long)t->id);
    time_format_rfc3339(t->expires_s, until);
    const struct json_field fields[] = {
        {.name = "id", .is_number = true, .number = t->id},
        {.name = "token", .text = secret},
        {.name = "name", .text = t->name[0] != '\0' ? t->name : NULL},
        {.name = "uses_left", .is_number = true, .number = t->uses_left},
        {.name = "expires_at", .text = until}};
    if (ctl->json) {
        code = show_json_object(ctl, fields, sizeof(fields) / sizeof(fields[0]));
    } else if (!ctl->terminal) {
        (void)puts(secret); /* so that $(leasectl token create) is the token */
    } else {
        time_format_zoned(t->expires_s, until);
        (void)printf("%s\ntoken #%lld, shown this once; good for %lld %s%s%s until %s\n", secret,
                     (long long)t->id, (long long)t->uses_left,
                     t->uses_left == 1 ? "agent" : "agents", t->name[0] != '\0' ? " named " : "",
                     t->name, until);
    }
    return code;
}

/* ---- list, revoke ---- */

static int add_row(void *arg, const struct token *t)
{
    struct listing *list = arg;
    char id[24], uses[24], created[TIME_TEXT_BYTES], until[TIME_TEXT_BYTES];
    time_format_rfc3339(t->created_s, created);
    time_format_rfc3339(t->expires_s, until);
    const struct json_field fields[] = {
        {.name = "id", .is_number = true, .number = t->id},
        {.name = "name", .text = t->name[0] != '\0' ? t->name : NULL},
        {.name = "uses_left", .is_number = true, .number = t->uses_left},
        {.name = "created_at", .text = created},
        {.name = "expires_at", .text = until}};
    if (list->ctl->json)
        return listing_add_object(list, fields, sizeof(fields) / sizeof(fields[0]));
    if (list->ctl->terminal) {
        time_format_local(t->created_s, created);
        time_format_local(t->expires_s, until);
    }
    (void)snprintf(id, sizeof(id), "%lld", (long long)t->id);
    (void)snprintf(uses, sizeof(uses), "%lld", (long long)t->uses_left);
    table_add(&list->table, id);
    table_add(&list->table, t->name);
    table_add(&list->table, uses);
    table_add(&list->table, created);
    table_add(&list->table, until);
    return 0;
}

static int list_tokens(struct ctl *ctl)
{
    static const char *const headings[] = {"ID", "AGENT", "USES", "CREATED", "EXPIRES", NULL};
    struct listing list;
    int code = ctl_open_read(ctl);
    if (code != EXIT_DONE)
        return code;
    listing_begin(&list, ctl, headings);
    enum store_rc rc = store_token_list(ctl->store, add_row, &list);
    return listing_end(&list, rc == STORE_OK ? EXIT_DONE : ctl_store_error(ctl, rc));
}

int cmd_token(struct ctl *ctl, int argc, char **argv)
{
    static const struct numbered tokens = {"token", store_token_revoke, NULL};
    static const struct option options[] = {{"uses", required_argument, NULL, 'u'},
                                            {"for", required_argument, NULL, 'f'},
                                            {"name", required_argument, NULL, 'n'},
                                            {NULL, 0, NULL, 0}};
    struct token t = {.uses_left = 1, .expires_s = 0};
    bool terms = false;
    int opt, code = EXIT_DONE;

    while (code == EXIT_DONE && (opt = ctl_option(ctl, argc, argv, options)) != -1) {
        terms = true;
        switch (opt) {
        case 'u':
            if (!number_parse(optarg, strlen(optarg), 1, TOKEN_USES_MAX, &t.uses_left))
                code = ctl_error(ctl, EXIT_USAGE, "--uses '%s' is no number from 1 to %d",
                                 text_clip(optarg).s, TOKEN_USES_MAX);
            break;
        case 'f':
            code = terms_parse_for(ctl, optarg, &t.expires_s);
            break;
        case 'n':
            code = terms_set_text(ctl, "--name", optarg, lease_name_problem(optarg), t.name,
                                  sizeof(t.name));
            break;
        default:
            code = EXIT_USAGE;
        }
    }
    if (code != EXIT_DONE)
        return code;
    int words = argc - optind;
    const char *action = words > 0 ? argv[optind] : "";
    if (t.expires_s == 0)
        t.expires_s = ctl->now_s + TOKEN_TTL_S;
    if (strcmp(action, "create") == 0 && words == 1)
        return create_token(ctl, &t);
    if (strcmp(action, "list") == 0 && words == 1 && !terms)
        return list_tokens(ctl);
    if (strcmp(action, "revoke") == 0 && words == 2 && !terms)
        return numbered_revoke(ctl, &tokens, argv[optind + 1]);
    return ctl_usage(ctl, "token takes create [--uses N] [--for DURATION] [--name NAME], list, or "
                          "revoke ID");
}
