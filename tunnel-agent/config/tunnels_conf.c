/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/config/tunnels_conf.h"

#include "lib/base/keyword.h"
#include "lib/base/log.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct reader {
    const char *path;
    struct tunnels_conf *conf;
    struct leg *leg; /* the block that is open, or NULL */
    unsigned leg_line;
    unsigned line_no;
    bool has_port;
    char *why;
};

static int wrong(struct reader *r, unsigned line_no, const char *what, const char *value,
                 const char *problem)
{
    (void)snprintf(r->why, TUNNELS_CONF_WHY_BYTES, "%.200s:%u: %.60s '%.200s' %.120s", r->path,
                   line_no, what, value, problem);
    return 1;
}

/* The PORT of HOST:PORT becomes ssh's -p, unless the colons are part of an IPv6 address. */
static const char *set_to(struct reader *r, const char *value)
{
    char host[600];
    const char *colon = strrchr(value, ':');
    if (colon == NULL || strncmp(value, "ssh://", 6) == 0 ||
        (strchr(value, ':') != colon && colon[-1] != ']') ||
        strlcpy(host, value, sizeof(host)) >= sizeof(host))
        return leg_set_to(r->leg, value);
    if (leg_port(colon + 1) == 0)
        return "has a port that is not 1-65535";
    host[colon - value] = '\0';
    char *open = strchr(host, '['), *close = strchr(host, ']');
    if (open != NULL && close != NULL && close[1] == '\0') {
        *close = '\0';
        memmove(open, open + 1, strlen(open));
    }
    const char *problem = leg_set_to(r->leg, host);
    if (problem == NULL && r->has_port)
        problem = "names a port, and Port names one as well";
    if (problem == NULL)
        problem = leg_add_ssh_option(r->leg, "-p", colon + 1);
    r->has_port = true;
    return problem;
}

static const char *set_port(struct reader *r, const char *value)
{
    if (r->has_port)
        return "is the second port of this tunnel";
    r->has_port = true;
    return leg_add_ssh_option(r->leg, "-p", value);
}

static const char *add_forward(struct reader *r, const char *value)
{
    const char *warning, *problem = leg_add_forward(r->leg, value, &warning);
    if (problem == NULL && warning != NULL)
        log_warn("warning: %s:%u: Forward '%s' %s", r->path, r->line_no, value, warning);
    return problem;
}

static const char *add_identity(struct reader *r, const char *value)
{
    char path[1100];
    const char *home = getenv("HOME");
    (void)snprintf(path, sizeof(path), "%s%.1000s",
                   value[0] == '~' && value[1] == '/' && home != NULL ? home : "",
                   value[0] == '~' && value[1] == '/' && home != NULL ? value + 1 : value);
    return leg_add_ssh_option(r->leg, "-i", path);
}

static const char *add_jump(struct reader *r, const char *value)
{
    return leg_add_ssh_option(r->leg, "-J", value);
}

static const char *add_option(struct reader *r, const char *value)
{
    return leg_add_ssh_option(r->leg, "-o", value);
}

static const char *set_probe(struct reader *r, const char *value)
{
    return leg_set_probe(r->leg, value);
}

static const char *set_host_key(struct reader *r, const char *value)
{
    return leg_set_host_key(r->leg, value);
}

static const struct {
    const char *keyword;
    const char *(*set)(struct reader *r, const char *value);
} tunnel_keywords[] = {
    {"To", set_to},           {"Port", set_port},
    {"Forward", add_forward}, {"Identity", add_identity},
    {"Jump", add_jump},       {"Option", add_option},
    {"Probe", set_probe},     {"HostKey", set_host_key},
};

static int close_block(struct reader *r)
{
    if (r->leg == NULL)
        return 0;
    if (r->leg->to == NULL)
        return wrong(r, r->leg_line, "Tunnel", r->leg->name, "has no To");
    if (r->leg->forward_count == 0)
        return wrong(r, r->leg_line, "Tunnel", r->leg->name, "has no Forward");
    r->leg = NULL;
    return 0;
}

static int open_block(struct reader *r, const struct keyword_line *line)
{
    struct tunnels_conf *c = r->conf;
    if (close_block(r) != 0)
        return 1;
    const char *name = line->values[0], *problem = lease_name_problem(name);
    if (problem != NULL)
        return wrong(r, line->line_no, "Tunnel", name, problem);
    for (size_t i = 0; i < c->leg_count; i++)
        if (strcmp(c->legs[i].name, name) == 0)
            return wrong(r, line->line_no, "Tunnel", name, "is in the file twice");
    struct leg *more = c->leg_count < LEGS_MAX
                           ? reallocarray(c->legs, c->leg_count + 1, sizeof(c->legs[0]))
                           : NULL;
    if (more == NULL)
        return wrong(r, line->line_no, "Tunnel", name, "is one tunnel too many: 256 is the limit");
    c->legs = more;
    r->leg = &c->legs[c->leg_count++];
    *r->leg = (struct leg){0};
    (void)strlcpy(r->leg->name, name, sizeof(r->leg->name));
    r->leg_line = line->line_no;
    r->has_port = false;
    return 0;
}

static int parse_line(void *ctx, const struct keyword_line *line)
{
    struct reader *r = ctx;
    bool known = false;
    const char *value = line->value_count > 0 ? line->values[0] : "";

    r->line_no = line->line_no;
    if (line->malformed != NULL)
        return wrong(r, line->line_no, "the line of", line->keyword, line->malformed);
    if (line->value_count != 1)
        return wrong(r, line->line_no, "keyword", line->keyword, "takes exactly one value");
    if (strcasecmp(line->keyword, "Tunnel") == 0)
        return open_block(r, line);
    const char *problem = settings_set(&r->conf->settings, line->keyword, value, &known);
    if (known) {
        if (problem == NULL && r->leg != NULL)
            problem = "is a setting for all tunnels: put it before the first Tunnel";
        return problem != NULL ? wrong(r, line->line_no, line->keyword, value, problem) : 0;
    }
    for (size_t i = 0; i < sizeof(tunnel_keywords) / sizeof(tunnel_keywords[0]); i++) {
        if (strcasecmp(line->keyword, tunnel_keywords[i].keyword) != 0)
            continue;
        if (r->leg == NULL)
            return wrong(r, line->line_no, "keyword", line->keyword,
                         "belongs to a tunnel: put it after a Tunnel line");
        problem = tunnel_keywords[i].set(r, value);
        return problem != NULL ? wrong(r, line->line_no, tunnel_keywords[i].keyword, value, problem)
                               : 0;
    }
    return wrong(r, line->line_no, "keyword", line->keyword, "is not known here");
}

int tunnels_conf_read(const char *path, struct tunnels_conf *ret,
                      char why[static TUNNELS_CONF_WHY_BYTES])
{
    struct reader r = {.path = path, .conf = ret, .why = why};
    *ret = (struct tunnels_conf){.settings = settings_default};
    int rc = keyword_read(path, parse_line, &r);
    if (rc < 0)
        (void)snprintf(why, TUNNELS_CONF_WHY_BYTES, "cannot use '%.400s': it %s", path,
                       keyword_strerror(rc));
    else if (rc == 0)
        rc = close_block(&r);
    if (rc == 0)
        return 0;
    tunnels_conf_release(ret);
    return -1;
}

void tunnels_conf_release(struct tunnels_conf *c)
{
    for (size_t i = 0; i < c->leg_count; i++)
        leg_release(&c->legs[i]);
    free(c->legs);
    *c = (struct tunnels_conf){0};
}

int tunnels_conf_read_settings(const char *path, struct settings *ret, size_t *ret_leg_count,
                               char why[static TUNNELS_CONF_WHY_BYTES])
{
    struct tunnels_conf conf = {.settings = settings_default};
    if (path != NULL && tunnels_conf_read(path, &conf, why) != 0)
        return -1;
    *ret = conf.settings;
    *ret_leg_count = conf.leg_count;
    tunnels_conf_release(&conf);
    return 0;
}
