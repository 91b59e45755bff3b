/* SPDX-License-Identifier: ISC */
#include "lib/conf/conf.h"

#include <bsd/string.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int conf_set_defaults(struct conf *c)
{
    struct permit p;
    *c = (struct conf){
        .paths = {.database = CONF_DEFAULT_DATABASE, .run_dir = CONF_DEFAULT_RUN_DIR},
        .forward_login = CONF_DEFAULT_FORWARD_LOGIN,
        .agent_login = CONF_DEFAULT_AGENT_LOGIN,
        .tunnel_group = CONF_DEFAULT_TUNNEL_GROUP,
        .default_ttl_s = 7 * 86400,
        .max_ttl_s = 90 * 86400,
        .agent_bind_host = "127.0.0.1",
        .listen_count = 1,
        .max_pending_agents = 256,
        .public_port = 22,
        .quarantine_ttl_s = 7 * 86400,
        .keep_expired_s = 30 * 86400,
        .audit_keep_s = 400 * 86400,
        .heartbeat_interval_s = 60,
    };
    if (gethostname(c->public_host, sizeof(c->public_host) - 1) != 0)
        (void)strlcpy(c->public_host, "localhost", sizeof(c->public_host));
    (void)permit_parse("127.0.0.1:" CONF_CONTROL_PORT, PERMIT_PORT, &c->listen[0].address);
    (void)permit_parse("127.0.0.1:*", PERMIT_CEILING, &p);
    if (ceiling_rules_add(&c->ceiling.open, "", &p) != 0)
        return -1;
    (void)permit_parse("[::1]:*", PERMIT_CEILING, &p);
    if (ceiling_rules_add(&c->ceiling.open, "", &p) != 0)
        return -1;
    (void)permit_parse("127.0.0.1:20000-29999", PERMIT_CEILING, &p);
    return ceiling_rules_add(&c->ceiling.listen, "", &p);
}

void conf_logins_of(const struct conf *c, struct conf_logins *ret)
{
    *ret = (struct conf_logins){.problem = NULL};
    (void)strlcpy(ret->join_login, c->join_login, sizeof(ret->join_login));
    (void)strlcpy(ret->forward_login, c->forward_login, sizeof(ret->forward_login));
    (void)strlcpy(ret->agent_login, c->agent_login, sizeof(ret->agent_login));
    (void)strlcpy(ret->jump_user, c->jump_user, sizeof(ret->jump_user));
    (void)strlcpy(ret->tunnel_group, c->tunnel_group, sizeof(ret->tunnel_group));
}

const char *conf_proxy_header_name(enum proxy_header header)
{
    switch (header) {
    case PROXY_HEADER_REAL_IP:
        return "X-Real-IP";
    case PROXY_HEADER_FORWARDED_FOR:
        return "X-Forwarded-For";
    case PROXY_HEADER_NONE:
        break;
    }
    return "";
}

void conf_forget_keys(struct conf *c)
{
    for (; c->api_key_count > 0; c->api_key_count--) {
        char *key = c->api_keys[c->api_key_count - 1];
        explicit_bzero(key, strlen(key));
        free(key);
    }
}

void conf_release(struct conf *c)
{
    ceiling_rules_release(&c->ceiling.open);
    ceiling_rules_release(&c->ceiling.listen);
    conf_forget_keys(c);
    *c = (struct conf){.listen_count = 0};
}

bool conf_same_place(const struct conf_listener *a, const struct conf_listener *b)
{
    return strcmp(a->unix_path, b->unix_path) == 0 &&
           (a->unix_path[0] != '\0' ||
            (a->address.low == b->address.low && strcmp(a->address.host, b->address.host) == 0));
}

bool conf_same_listener(const struct conf_listener *a, const struct conf_listener *b)
{
    return conf_same_place(a, b) && strcmp(a->proxy_group, b->proxy_group) == 0;
}
