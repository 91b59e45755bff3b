/* SPDX-License-Identifier: ISC */
/* leasectl ssh-config: a client's ssh_config for a lease, or for the host behind an agent. */
#include "leasectl/show/ssh_config.h"
#include "leasectl/ctl_store.h"
#include "leasectl/lease/terms.h"
#include "leasectl/show/json.h"
#include "leasectl/verbs.h"
#include "lib/base/text.h"
#include "lib/lease/time_text.h"
#include "lib/store/agents.h"
#include "lib/wire/json.h"

#include <bsd/string.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum part {
    PART_STANZAS,
    PART_KNOWN_HOSTS,
    PART_COMMAND,
    PART_SYSTEMD,
    PART_LAUNCHD,
    PART__MAX, /* all of them */
};

struct request {
    const char *user; /* of the host behind an agent; NULL: the one that the agent named */
    enum part only;
};

/* ---- what there is to say ---- */

static int find_kind(struct ctl *ctl, const struct lease *l, bool *ret_is_agent)
{
    struct agent a;
    enum store_rc rc = store_agent_find(ctl->store, l->name, &a);
    if (rc != STORE_OK && rc != STORE_NONE)
        return ctl_store_error(ctl, rc);
    *ret_is_agent = rc == STORE_OK && a.is_agent && a.id == l->id;
    return EXIT_DONE;
}

static void keep_sshds(struct opened_agents *agents)
{
    size_t kept = 0;
    for (size_t i = 0; i < agents->count; i++)
        if (agents->items[i].is_sshd)
            agents->items[kept++] = agents->items[i];
    agents->count = kept;
}

static int find_agents(struct ctl *ctl, const struct request *req, struct ssh_client *client)
{
    const struct lease *l = client->lease;
    if (client->is_agent)
        (void)opened_agents_find_self(ctl->store, l, &client->agents);
    else
        opened_agents_find(ctl->store, l, &client->agents);
    if (client->agents.rc != STORE_OK)
        return ctl_store_error(ctl, client->agents.rc);
    if (!client->is_agent && forwards_find(l, &client->agents, &client->forwards) != 0)
        return ctl_error(ctl, EXIT_FAILED, "out of memory");
    keep_sshds(&client->agents);
    if (client->is_agent && client->agents.count == 0)
        return ctl_error(ctl, EXIT_FAILED,
                         "agent '%s' leads to no sshd: 'leasectl grant NAME --open agent:%s' gives "
                         "a line that forwards its port",
                         l->name, l->name);
    if (client->agents.count == 0 && client->forwards.count == 0 && l->listen.count == 0)
        return ctl_error(ctl, EXIT_FAILED, "'%s' opens nothing: its agent is gone", l->name);
    if (client->agents.count == 0 && req->user != NULL)
        return ctl_error(ctl, EXIT_USAGE,
                         "--user is for a host behind an agent, and '%s' opens none", l->name);
    for (size_t i = 0; i < client->agents.count; i++) {
        if (req->user != NULL)
            (void)strlcpy(client->agents.items[i].user, req->user,
                          sizeof(client->agents.items[i].user));
        /* Without its keys ssh would ask the user, so that they are not known is no "none". */
        const enum store_rc rc =
            opened_agents_host_keys(ctl->store, &client->agents.items[i], &client->agent_keys[i]);
        if (rc != STORE_OK)
            return ctl_store_error(ctl, rc);
    }
    return EXIT_DONE;
}

/* The login for jumps: the holder's own; for the clients of an agent JumpUser, else the login of
 * most leases. */
static const char *jump_login(const struct ctl *ctl, const struct ssh_client *client)
{
    if (!client->is_agent)
        return client->lease->login;
    return ctl->conf.jump_user[0] != '\0' ? ctl->conf.jump_user : ctl->conf.forward_login;
}

/* ---- printing ---- */

static const char *const part_names[PART__MAX] = {"stanzas", "known-hosts", "command", "systemd",
                                                  "launchd"};

static const struct buf *part_text(const struct ssh_config *c, enum part part)
{
    const struct buf *const texts[PART__MAX] = {&c->stanzas, &c->known_hosts, &c->command, &c->unit,
                                                &c->plist};
    return texts[part];
}

/* Everything but the stanzas is a comment, so that all of it is valid in ~/.ssh/config. */
static void print_commented(const struct buf *text)
{
    const char *rest = buf_text(text), *line;
    int len;
    (void)puts("#");
    while ((line = text_next_line(&rest, &len)) != NULL)
        (void)printf(len > 0 ? "#   %.*s\n" : "#\n", len, line);
    (void)puts("#");
}

static void print_services(const struct ssh_client *client, const struct ssh_config *c)
{
    char name[SSH_SERVICE_NAME_BYTES];
    ssh_config_unit_name(client->lease, name);
    (void)printf("# A systemd unit that holds it, ~/.config/systemd/user/%s.service; then\n"
                 "# 'systemctl --user enable --now %s'. It needs the line of known_hosts:\n",
                 name, name);
    print_commented(&c->unit);
    ssh_config_job_name(client->lease, name);
    (void)printf("# A launchd job that holds it, ~/Library/LaunchAgents/%s.plist; then\n"
                 "# 'launchctl load -w' with that file. It needs the line of known_hosts:\n",
                 name);
    print_commented(&c->plist);
}

static void print_all(const struct ssh_client *client, const struct ssh_config *c)
{
    const bool has_tunnel = c->unit.len > 0;
    char until[TIME_TEXT_BYTES];
    time_format_zoned(client->lease->expires_s, until);
    (void)printf("# %s '%s' (#%" PRId64 ") at %s, until %s\n"
                 "# Put the stanzas at the top of ~/.ssh/config: of each setting ssh takes the "
                 "first value.\n\n%s\n",
                 client->is_agent ? "Agent" : "Lease", client->lease->name, client->lease->id,
                 client->conf->public_host, until, buf_text(&c->stanzas));
    (void)puts(
        "# Append to ~/.ssh/known_hosts, without the '#   ', the lines that the stanzas pin:");
    print_commented(&c->known_hosts);
    if (has_tunnel)
        (void)printf("# 'ssh -N %s' holds the tunnel.", c->hosts[0]);
    else
        (void)printf("# 'ssh %s' logs in there.", c->hosts[c->host_count - 1]);
    (void)puts(" Without the stanzas, this does:");
    print_commented(&c->command);
    if (has_tunnel)
        print_services(client, c);
}

enum { KEY_LINES_MAX = 1 + LEASE_OPEN_AGENTS_MAX * 64 };

/* Cuts the lines of known_hosts, in place; keys ends with NULL. */
static void split_keys(struct buf *known_hosts, const char *keys[KEY_LINES_MAX + 1])
{
    size_t count = 0;
    char *rest = known_hosts->data;
    for (char *line; count < KEY_LINES_MAX && (line = strsep(&rest, "\n")) != NULL;)
        if (*line != '\0')
            keys[count++] = line;
    keys[count] = NULL;
}

/* c is of no use afterwards: its lines are cut. */
static int print_json(struct ctl *ctl, const struct ssh_client *client, struct ssh_config *c)
{
    const char *hosts[SSH_CONFIG_HOSTS_MAX + 1] = {NULL}, *keys[KEY_LINES_MAX + 1];
    split_keys(&c->known_hosts, keys);
    for (size_t i = 0; i < c->host_count; i++)
        hosts[i] = c->hosts[i];
    const struct json_field fields[] = {
        {.name = "id", .is_number = true, .number = client->lease->id},
        {.name = "name", .text = client->lease->name},
        {.name = "kind", .text = client->is_agent ? "agent" : "holder"},
        {.name = "hosts", .texts = hosts},
        {.name = "stanzas", .text = buf_text(&c->stanzas)},
        {.name = "known_hosts", .texts = keys},
        {.name = "command", .text = buf_text(&c->command)},
        {.name = "systemd_unit", .text = c->unit.len > 0 ? buf_text(&c->unit) : NULL},
        {.name = "launchd_plist", .text = c->plist.len > 0 ? buf_text(&c->plist) : NULL}};
    return show_json_object(ctl, fields, sizeof(fields) / sizeof(fields[0]));
}

static int print_config(struct ctl *ctl, const struct request *req, const struct ssh_client *client)
{
    struct ssh_config c;
    bool failed = false;
    int code = EXIT_DONE;
    ssh_config_format(client, &c);
    for (enum part part = 0; part < PART__MAX; part++)
        failed = failed || part_text(&c, part)->failed;
    if (failed)
        code = ctl_error(ctl, EXIT_FAILED, "out of memory");
    else if (ctl->json)
        code = print_json(ctl, client, &c);
    else if (req->only == PART__MAX)
        print_all(client, &c);
    else if (part_text(&c, req->only)->len == 0)
        code = ctl_error(ctl, EXIT_FAILED, "'%s' has no %s text: there is no tunnel to hold",
                         client->lease->name, part_names[req->only]);
    else
        (void)printf("%s%s", buf_text(part_text(&c, req->only)),
                     req->only == PART_COMMAND ? "\n" : "");
    ssh_config_release(&c);
    return code;
}

/* ---- the verb ---- */

static int format_lease(struct ctl *ctl, const struct request *req, const struct lease *l,
                        const struct pubkey *host_key)
{
    struct ssh_client client = {.conf = &ctl->conf, .lease = l, .gateway_key = host_key};
    char key_file[CONNECT_KEY_FILE_BYTES];
    int code = EXIT_DONE;
    (void)snprintf(key_file, sizeof(key_file), CONNECT_KEY_FILE_FORMAT, l->name);
    if (l->revoked_s != 0)
        code = ctl_error(ctl, EXIT_CONFLICT, "'%s' (#%" PRId64 ") is revoked, and opens nothing",
                         l->name, l->id);
    if (code == EXIT_DONE)
        code = find_kind(ctl, l, &client.is_agent);
    if (code == EXIT_DONE)
        code = find_agents(ctl, req, &client);
    if (code == EXIT_DONE) {
        client.jump_login = jump_login(ctl, &client);
        client.key_file = !client.is_agent && connect_key_is_told(l) ? key_file : NULL;
        code = print_config(ctl, req, &client);
    }
    forwards_release(&client.forwards);
    for (size_t i = 0; i < LEASE_OPEN_AGENTS_MAX; i++)
        buf_release(&client.agent_keys[i]);
    return code;
}

static int parse_part(struct ctl *ctl, const char *arg, enum part *ret)
{
    for (enum part part = 0; part < PART__MAX; part++) {
        if (strcmp(arg, part_names[part]) == 0) {
            *ret = part;
            return EXIT_DONE;
        }
    }
    return ctl_error(ctl, EXIT_USAGE,
                     "--only '%s' is none of stanzas, known-hosts, command, systemd, launchd",
                     text_clip(arg).s);
}

static int parse_option(struct ctl *ctl, struct request *req, int opt, const char *arg)
{
    switch (opt) {
    case 'u':
        req->user = arg;
        if (login_name_problem(arg) != NULL)
            return ctl_error(ctl, EXIT_USAGE, "--user '%s' %s", text_clip(arg).s,
                             login_name_problem(arg));
        return EXIT_DONE;
    case 'o':
        return parse_part(ctl, arg, &req->only);
    default:
        return EXIT_USAGE;
    }
}

int cmd_ssh_config(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {{"user", required_argument, NULL, 'u'},
                                            {"only", required_argument, NULL, 'o'},
                                            {NULL, 0, NULL, 0}};
    struct request req = {.only = PART__MAX};
    struct lease l = {0};
    struct pubkey host_key;
    int opt, code = EXIT_DONE;

    while (code == EXIT_DONE && (opt = ctl_option(ctl, argc, argv, options)) != -1)
        code = parse_option(ctl, &req, opt, optarg);
    if (code != EXIT_DONE)
        return code;
    if (argc - optind != 1)
        return ctl_usage(ctl, "ssh-config takes one NAME or #NUMBER");
    code = terms_read_host_key(ctl, &host_key);
    if (code == EXIT_DONE)
        code = ctl_open_read(ctl);
    if (code == EXIT_DONE)
        code = ctl_find_lease(ctl, argv[optind], &l);
    if (code == EXIT_DONE)
        code = format_lease(ctl, &req, &l, &host_key);
    lease_release(&l);
    return code;
}
