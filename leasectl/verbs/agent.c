/* SPDX-License-Identifier: ISC */
/* leasectl agent add, agent reset: the lease of a host behind the gateway. */
#include "leasectl/ctl_store.h"
#include "leasectl/host/account.h"
#include "leasectl/host/gateway.h"
#include "leasectl/lease/change.h"
#include "leasectl/lease/key.h"
#include "leasectl/lease/listen_port.h"
#include "leasectl/lease/terms.h"
#include "leasectl/show/json.h"
#include "leasectl/verbs.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/lease/agent_copies.h"
#include "lib/lease/reissue.h"
#include "lib/lease/source.h"
#include "lib/lease/time_text.h"
#include "lib/session/listeners.h"
#include "lib/store/agents.h"
#include "lib/store/tokens.h"
#include "lib/store/transaction.h"
#include "lib/wire/json.h"
#include "lib/wire/register.h"

#include <bsd/string.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum { TOKEN_TTL_S = 7 * 86400 };

/* ---- agent add ---- */

struct new_agent {
    struct lease lease;
    const char *key_file;
    uint16_t port; /* 0: the first free one */
    char secret[SECRET_TEXT_BYTES];
    int64_t id;
    struct pubkey host_key;
};

/* Picks a free port for AgentBindHost. */
static int pick_listen_port(struct ctl *ctl, uint16_t *ret)
{
    struct listeners used;
    struct permit p;
    if (listeners_read(&used) != 0)
        return ctl_error(ctl, EXIT_FAILED, "cannot read which ports are in use: %s",
                         strerror(errno));
    enum store_rc rc =
        listen_port_pick(ctl, ctl->conf.agent_login, ctl->conf.agent_bind_host, &used, &p);
    if (rc == STORE_NONE)
        return ctl_error(ctl, EXIT_CONFLICT,
                         "no port is free for agents: widen AllowListen for '%s'%s",
                         ctl->conf.agent_bind_host, ctl_quarantine_note(ctl));
    if (rc != STORE_OK)
        return ctl_store_error(ctl, rc);
    *ret = p.low;
    return EXIT_DONE;
}

/* Adds the lease, and a token that only this agent can use, in one transaction. */
static int add_in_store(struct ctl *ctl, struct new_agent *a)
{
    const struct store_actor by = ctl_actor(ctl);
    struct token t = {.uses_left = 1, .expires_s = ctl->now_s + TOKEN_TTL_S};
    struct store_conflict conflict;
    uint8_t hash[SECRET_HASH_BYTES];
    int64_t token_id = 0;
    (void)strlcpy(t.name, a->lease.name, sizeof(t.name));
    secret_make(a->secret);
    secret_hash(a->secret, hash);

    enum store_rc rc = store_begin(ctl->store);
    int code = rc == STORE_OK ? EXIT_DONE : ctl_store_error(ctl, rc);
    if (code == EXIT_DONE && a->port == 0)
        code = pick_listen_port(ctl, &a->port);
    if (code == EXIT_DONE)
        code = listen_port_add_agents(ctl, &a->lease, a->port);
    if (code == EXIT_DONE)
        code = terms_check_permits(ctl, &a->lease);
    if (code != EXIT_DONE)
        goto out;
    rc = store_token_add(ctl->store, &t, hash, &by, &token_id);
    if (rc == STORE_OK)
        rc = store_agent_add(ctl->store, &a->lease, 0, "admin 1\n", ctl_quarantine_s(ctl), &by,
                             &a->id, &conflict);
    if (rc == STORE_OK)
        rc = store_commit(ctl->store);
    if (rc == STORE_CONFLICT)
        code = terms_report_conflict(ctl, &a->lease, &conflict);
    else if (rc != STORE_OK)
        code = ctl_store_error(ctl, rc);
out:
    store_rollback(ctl->store);
    return code;
}

static int print_added(struct ctl *ctl, const struct new_agent *a)
{
    struct buf line = {0};
    int code = EXIT_DONE;
    char until[TIME_TEXT_BYTES];
    buf_addf(&line, "tunnel-agent --gateway %s", ctl->conf.public_host);
    if (ctl->conf.public_port != 22)
        buf_addf(&line, ":%u", ctl->conf.public_port);
    buf_addf(&line, " --agent-id %s --token %s --host-key %s", a->lease.name, a->secret,
             a->host_key.fingerprint);
    const uint16_t control_port = ctl->conf.ceiling.control.low;
    if (control_port != 0 && control_port != REGISTER_CONTROL_PORT)
        buf_addf(&line, " --control-port %u", control_port);
    time_format_rfc3339(a->lease.expires_s, until);
    const struct json_field fields[] = {{.name = "id", .is_number = true, .number = a->id},
                                        {.name = "name", .text = a->lease.name},
                                        {.name = "port_b", .is_number = true, .number = a->port},
                                        {.name = "expires_at", .text = until},
                                        {.name = "token", .text = a->secret},
                                        {.name = "run", .text = buf_text(&line)}};
    if (ctl->json) {
        code = show_json_object(ctl, fields, sizeof(fields) / sizeof(fields[0]));
    } else {
        time_format_zoned(a->lease.expires_s, until);
        (void)printf(
            "added agent '%s' (#%lld) on port %u until %s\n\nRun this on the host:\n\n  %s\n\n"
            "The token is good for '%s' alone, once, for a week.\n",
            a->lease.name, (long long)a->id, a->port, until, buf_text(&line), a->lease.name);
    }
    buf_release(&line);
    return code;
}

static int complete_lease(struct ctl *ctl, const char *name, struct new_agent *a)
{
    struct lease *l = &a->lease;
    struct lease_key key;
    int code =
        terms_set_text(ctl, "the name", name, lease_name_problem(name), l->name, sizeof(l->name));
    (void)strlcpy(l->login, ctl->conf.agent_login, sizeof(l->login));
    const char *problem = account_lease_problem(l->login, ctl->conf.tunnel_group);
    if (code == EXIT_DONE && problem != NULL)
        code = ctl_error(ctl, EXIT_USAGE, "login '%s' %s", l->login, problem);
    if (l->expires_s == 0)
        l->expires_s = ctl->now_s + ctl->conf.default_ttl_s;
    if (code == EXIT_DONE)
        code = terms_check_end(ctl, l->expires_s);
    if (code == EXIT_DONE)
        code = key_read_file(ctl, a->key_file, &key);
    if (code == EXIT_DONE)
        code = key_check(ctl, &key.pub);
    if (code == EXIT_DONE && ctl->conf.ceiling.control.low != 0 &&
        permit_list_add(&l->open, &ctl->conf.ceiling.control) != NULL)
        code = ctl_error(ctl, EXIT_FAILED, "out of memory");
    if (code == EXIT_DONE && lease_add_key(l, &key) != 0)
        code = ctl_error(ctl, EXIT_FAILED, "out of memory");
    return code;
}

static int add_agent(struct ctl *ctl, const char *name, struct new_agent *a)
{
    int code = complete_lease(ctl, name, a);
    if (code == EXIT_DONE)
        code = terms_read_host_key(ctl, &a->host_key);
    if (code == EXIT_DONE)
        code = ctl_open_write(ctl);
    if (code == EXIT_DONE)
        code = add_in_store(ctl, a);
    ctl_close(ctl);
    if (code == EXIT_DONE) {
        ctl_changed(ctl, "added agent '%s' (#%lld)", a->lease.name, (long long)a->id);
        code = print_added(ctl, a);
    }
    explicit_bzero(a->secret, sizeof(a->secret));
    lease_release(&a->lease);
    return code;
}

/* ---- agent reset ---- */

struct reset {
    const char *from; /* as given; NULL: any address */
    char sources[COPIES_FROM_BYTES];
    struct agent_copies before;
};

static int parse_from(struct ctl *ctl, struct reset *r)
{
    struct source_list list;
    struct buf text = {0};
    int code = EXIT_DONE;
    if (r->from == NULL)
        return EXIT_DONE;
    const char *problem = source_list_parse(r->from, &list);
    if (problem == NULL) {
        source_list_format(&list, &text);
        if (buf_text(&text) == NULL ||
            strlcpy(r->sources, buf_text(&text), sizeof(r->sources)) >= sizeof(r->sources))
            problem = "is too long";
    }
    if (problem != NULL)
        code = ctl_error(ctl, EXIT_USAGE, "--from '%s' %s", text_clip(r->from).s, problem);
    buf_release(&text);
    return code;
}

static int apply_reset(struct ctl *ctl, const struct lease *l, const struct store_actor *by,
                       void *ctx)
{
    struct agent a;
    struct reset *r = ctx;
    if (l->revoked_s != 0)
        return change_refuse_revoked(ctl, l);
    enum store_rc rc = store_agent_find(ctl->store, l->name, &a);
    if (rc == STORE_OK && !a.is_agent)
        return ctl_error(ctl, EXIT_NO_SUCH, "'%s' (#%lld) is no agent: see 'leasectl agents'",
                         l->name, (long long)l->id);
    if (rc == STORE_OK)
        rc = store_agent_reset(ctl->store, &a, clock_boot_ms() / 1000, r->sources, by, &r->before);
    return rc == STORE_OK ? EXIT_DONE : ctl_store_error(ctl, rc);
}

/* The addresses that the agent was seen at, at most three; NULL ends them. */
static void list_seen(const struct agent_copies *c, const char *ret[static 4])
{
    const char *const all[] = {c->copy_from, c->other_from, c->last_from};
    size_t n = 0;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        bool is_new = all[i][0] != '\0';
        for (size_t k = 0; k < n; k++)
            is_new = is_new && strcmp(ret[k], all[i]) != 0;
        if (is_new)
            ret[n++] = all[i];
    }
    ret[n] = NULL;
}

static int print_reset_json(const struct ctl *ctl, const struct lease *l, const struct reset *r,
                            const char *const *seen)
{
    char until[TIME_TEXT_BYTES], counter_until[TIME_TEXT_BYTES];
    time_format_rfc3339(ctl->now_s + REISSUE_RESET_S, until);
    time_format_rfc3339(ctl->now_s + COPIES_RESET_S, counter_until);
    const struct json_field fields[] = {
        {.name = "id", .is_number = true, .number = l->id},
        {.name = "name", .text = l->name},
        {.name = "until", .text = until},
        {.name = "counter_until", .text = counter_until},
        {.name = "from", .text = r->sources[0] != '\0' ? r->sources : NULL},
        {.name = "seen", .texts = seen}};
    return show_json_object(ctl, fields, sizeof(fields) / sizeof(fields[0]));
}

static int print_reset(const struct ctl *ctl, const struct lease *l, const struct reset *r)
{
    char until[TIME_TEXT_BYTES], counter_until[TIME_TEXT_BYTES];
    const char *seen[4];
    list_seen(&r->before, seen);
    if (ctl->json)
        return print_reset_json(ctl, l, r, seen);
    time_format_zoned(ctl->now_s + REISSUE_RESET_S, until);
    time_format_zoned(ctl->now_s + COPIES_RESET_S, counter_until);
    (void)printf("reset agent '%s' (#%lld): its next register%s%s until %s goes on from there, and "
                 "a copy of it is refused\n",
                 l->name, (long long)l->id, r->sources[0] != '\0' ? " from " : "", r->sources,
                 counter_until);
    if (seen[0] != NULL) {
        (void)fputs("seen at:", stdout);
        for (size_t i = 0; seen[i] != NULL; i++)
            (void)printf(" %s", seen[i]);
        (void)fputs("\n", stdout);
    }
    (void)printf("\nStart it again. If it lost its agent_secret, then until %s with the enrolment "
                 "key, or with a token:\n\n"
                 "  leasectl token create --name %s\n",
                 until, l->name);
    if (r->before.seen_s != 0)
        (void)printf("\nIf its state may have been stolen, only a new key shuts the thief out:\n\n"
                     "  leasectl invite %s --agent --replace\n",
                     l->name);
    return EXIT_DONE;
}

static int reset_agent(struct ctl *ctl, const char *ref, struct reset *r)
{
    struct lease before = {0};
    int code = parse_from(ctl, r);
    if (code == EXIT_DONE)
        code = ctl_open_write(ctl);
    if (code == EXIT_DONE)
        code = change_lease(ctl, ref, apply_reset, r, &before);
    if (code == EXIT_DONE) {
        ctl_changed(ctl, "reset agent '%s' (#%lld)", before.name, (long long)before.id);
        code = print_reset(ctl, &before, r);
    }
    lease_release(&before);
    return code;
}

static int parse_option(struct ctl *ctl, struct new_agent *a, struct reset *r, int opt,
                        const char *arg)
{
    int64_t port;
    switch (opt) {
    case 'k':
        a->key_file = arg;
        return EXIT_DONE;
    case 'p':
        if (!number_parse(arg, strlen(arg), 1, UINT16_MAX, &port))
            return ctl_error(ctl, EXIT_USAGE, "--port '%s' is no port from 1 to 65535",
                             text_clip(arg).s);
        a->port = (uint16_t)port;
        return EXIT_DONE;
    case 'f':
        a->lease.fixed_end = true;
        return terms_parse_for(ctl, arg, &a->lease.expires_s);
    case 'u':
        a->lease.fixed_end = true;
        return terms_parse_until(ctl, arg, &a->lease.expires_s);
    case 's':
        r->from = arg;
        return EXIT_DONE;
    default:
        return EXIT_USAGE;
    }
}

int cmd_agent(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {
        {"key", required_argument, NULL, 'k'},  {"port", required_argument, NULL, 'p'},
        {"for", required_argument, NULL, 'f'},  {"until", required_argument, NULL, 'u'},
        {"from", required_argument, NULL, 's'}, {NULL, 0, NULL, 0}};
    struct new_agent a = {.port = 0};
    struct reset r = {.from = NULL};
    int opt, code = EXIT_DONE;

    while (code == EXIT_DONE && (opt = ctl_option(ctl, argc, argv, options)) != -1)
        code = parse_option(ctl, &a, &r, opt, optarg);
    if (code != EXIT_DONE)
        return code;
    bool terms = a.key_file != NULL || a.port != 0 || a.lease.expires_s != 0;
    if (argc - optind == 2 && strcmp(argv[optind], "reset") == 0 && !terms)
        return reset_agent(ctl, argv[optind + 1], &r);
    if (argc - optind != 2 || strcmp(argv[optind], "add") != 0 || a.key_file == NULL ||
        r.from != NULL)
        return ctl_usage(ctl, "agent takes add NAME --key FILE, or reset NAME [--from ADDR]");
    return add_agent(ctl, argv[optind + 1], &a);
}
