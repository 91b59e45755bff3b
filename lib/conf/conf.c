/* SPDX-License-Identifier: ISC */
#include "lib/conf/conf.h"

#include "lib/base/buf.h"
#include "lib/base/keyword.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/conf/keyfile.h"
#include "lib/lease/duration.h"
#include "lib/lease/name.h"

#include <arpa/inet.h>
#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONTROL_PORT_DEFAULT "12000"

/* Each takes the words after a keyword. NULL, or why they cannot be taken, as a clause. */
typedef const char *(*set_fn)(void *field, char *const *words, size_t count);

static const char one_value[] = "takes exactly one value";

static const char *set_path(void *field, char *const *words, size_t count)
{
    if (count != 1)
        return one_value;
    const char *problem = conf_path_problem(words[0]);
    if (problem == NULL)
        (void)strlcpy(field, words[0], CONF_PATH_BYTES);
    return problem;
}

static const char *set_name(void *field, char *const *words, size_t count)
{
    if (count != 1)
        return one_value;
    const char *problem = login_name_problem(words[0]);
    if (problem == NULL)
        (void)strlcpy(field, words[0], CONF_NAME_BYTES);
    return problem;
}

static const char *set_duration(void *field, char *const *words, size_t count)
{
    if (count != 1)
        return one_value;
    return duration_parse(words[0], field) == 0 ? NULL
                                                : "is not a duration like 90s, 15m, 12h, 7d, 1d12h";
}

static const char *set_duration_or_none(void *field, char *const *words, size_t count)
{
    int64_t *value_s = field;
    if (count == 1 && strcasecmp(words[0], "none") == 0) {
        *value_s = 0;
        return NULL;
    }
    return set_duration(field, words, count);
}

static const char *set_bool(void *field, char *const *words, size_t count)
{
    bool *value = field;
    if (count != 1)
        return one_value;
    if (strcasecmp(words[0], "yes") != 0 && strcasecmp(words[0], "no") != 0)
        return "is neither 'yes' nor 'no'";
    *value = strcasecmp(words[0], "yes") == 0;
    return NULL;
}

static const char *set_proxy_header(void *field, char *const *words, size_t count)
{
    enum proxy_header *value = field;
    if (count != 1)
        return one_value;
    if (strcasecmp(words[0], "X-Real-IP") != 0 && strcasecmp(words[0], "X-Forwarded-For") != 0)
        return "is neither 'X-Real-IP' nor 'X-Forwarded-For'";
    *value =
        strcasecmp(words[0], "X-Real-IP") == 0 ? PROXY_HEADER_REAL_IP : PROXY_HEADER_FORWARDED_FOR;
    return NULL;
}

static const char *set_session_refusal(void *field, char *const *words, size_t count)
{
    enum session_refusal *value = field;
    if (count != 1)
        return one_value;
    if (strcasecmp(words[0], "message") != 0 && strcasecmp(words[0], "silent") != 0)
        return "is neither 'message' nor 'silent'";
    *value = strcasecmp(words[0], "silent") == 0 ? SESSION_REFUSAL_SILENT : SESSION_REFUSAL_MESSAGE;
    return NULL;
}

static const char *set_permit(void *field, char *const *words, size_t count)
{
    return count != 1 ? one_value : permit_parse(words[0], PERMIT_PORT, field);
}

static const char *set_rule(void *field, char *const *words, size_t count)
{
    struct permit p;
    const char *login = "";
    if (count < 1 || count > 2)
        return "takes [LOGIN] HOST:PORT, HOST:LOW-HIGH or HOST:*";
    if (count == 2) {
        login = words[0];
        const char *problem = login_name_problem(login);
        if (problem != NULL)
            return problem;
    }
    if (strchr(words[count - 1], ':') == NULL)
        return "names no host: a ceiling is written HOST:PORT, HOST:LOW-HIGH or HOST:*";
    const char *problem = permit_parse(words[count - 1], PERMIT_CEILING, &p);
    if (problem != NULL)
        return problem;
    return ceiling_rules_add(field, login, &p) == 0 ? NULL : "does not fit in memory";
}

static const char *set_bind_host(void *field, char *const *words, size_t count)
{
    struct permit p;
    char with_port[CONF_TEXT_BYTES];
    if (count != 1)
        return one_value;
    bool bare_v6 = strchr(words[0], ':') != NULL && words[0][0] != '[';
    int n = snprintf(with_port, sizeof(with_port), bare_v6 ? "[%s]:1" : "%s:1", words[0]);
    if (n < 0 || (size_t)n >= sizeof(with_port))
        return "is too long";
    const char *problem = permit_parse(with_port, PERMIT_PORT, &p);
    if (problem == NULL)
        (void)strlcpy(field, p.host, CONF_TEXT_BYTES);
    return problem;
}

static const char *set_listener(void *field, char *const *words, size_t count)
{
    struct conf_listener l = {.unix_path = ""};
    if (count != 1)
        return one_value;
    if (strncmp(words[0], "unix:", 5) == 0) {
        if (strlen(words[0] + 5) > 100) /* sun_path, unix(7) */
            return "is too long a path for a socket";
        const char *problem = set_path(l.unix_path, &(char *){words[0] + 5}, 1);
        if (problem != NULL)
            return problem;
    } else {
        const char *problem = strchr(words[0], ':') == NULL
                                  ? "is neither HOST:PORT nor unix:/path"
                                  : permit_parse(words[0], PERMIT_PORT, &l.address);
        if (problem != NULL)
            return problem;
    }
    memcpy(field, &l, sizeof(l));
    return NULL;
}

static const char *set_host(void *field, char *const *words, size_t count)
{
    struct permit p;
    char with_port[CONF_TEXT_BYTES];
    if (count != 1)
        return one_value;
    /* An IPv6 address as ssh takes it in user@host: without brackets. */
    bool v6 = strchr(words[0], ':') != NULL;
    (void)snprintf(with_port, sizeof(with_port), v6 ? "[%s]:1" : "%s:1", words[0]);
    if (strlen(words[0]) > PERMIT_HOST_BYTES || permit_parse(with_port, PERMIT_PORT, &p) != NULL)
        return "is no host name or address";
    (void)strlcpy(field, words[0], CONF_TEXT_BYTES);
    return NULL;
}

static const char *set_port(void *field, char *const *words, size_t count)
{
    uint16_t *port = field;
    int64_t value;
    if (count != 1)
        return one_value;
    if (!number_parse(words[0], strlen(words[0]), 1, UINT16_MAX, &value))
        return "is not a port from 1 to 65535";
    *port = (uint16_t)value;
    return NULL;
}

static const char *set_count(void *field, char *const *words, size_t count)
{
    unsigned *number = field;
    int64_t value;
    if (count != 1)
        return one_value;
    if (!number_parse(words[0], strlen(words[0]), 1, 1000000, &value))
        return "is not a number from 1 to 1000000";
    *number = (unsigned)value;
    return NULL;
}

/* The rest of the line as one text. */
static const char *set_text(void *field, char *const *words, size_t count)
{
    char text[CONF_TEXT_BYTES] = "";
    if (count == 0)
        return "takes a value";
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            (void)strlcat(text, " ", sizeof(text));
        if (strlcat(text, words[i], sizeof(text)) >= sizeof(text))
            return "is too long";
    }
    const char *problem = free_text_problem(text);
    if (problem == NULL)
        (void)strlcpy(field, text, CONF_TEXT_BYTES);
    return problem;
}

struct loading;
static const char *add_listen(struct loading *in, char *const *words, size_t count);
static const char *add_open(struct loading *in, char *const *words, size_t count);
static const char *add_listen_rule(struct loading *in, char *const *words, size_t count);
static const char *take_metrics_listen(struct loading *in, char *const *words, size_t count);

/* The one table of CONTRACT 3. A keyword has a field and its setter, or a function of its own. */
static const struct keyword {
    const char *name;
    set_fn set;
    size_t offset;
    const char *(*take)(struct loading *in, char *const *words, size_t count);
    bool repeatable;
} keywords[] = {
#define FIELD(f) offsetof(struct conf, f), NULL, false
#define OWN(fn, again) 0, fn, again
    {"Database", set_path, FIELD(paths.database)},
    {"RunDir", set_path, FIELD(paths.run_dir)},
    {"ForwardLogin", set_name, FIELD(forward_login)},
    {"AgentLogin", set_name, FIELD(agent_login)},
    {"TunnelGroup", set_name, FIELD(tunnel_group)},
    {"SessionRefusal", set_session_refusal, FIELD(session_refusal)},
    {"DefaultTTL", set_duration, FIELD(default_ttl_s)},
    {"MaxTTL", set_duration_or_none, FIELD(max_ttl_s)},
    {"DefaultOpen", set_permit, FIELD(default_open)},
    {"AllowOpen", NULL, OWN(add_open, true)},
    {"AllowListen", NULL, OWN(add_listen_rule, true)},
    {"AgentBindHost", set_bind_host, FIELD(agent_bind_host)},
    {"Listen", NULL, OWN(add_listen, true)},
    {"AllowPlainHTTP", set_bool, FIELD(allow_plain_http)},
    {"ProxyHeader", set_proxy_header, FIELD(proxy_header)},
    {"ApiKeyFile", set_path, FIELD(api_key_file)},
    {"MaxPendingAgents", set_count, FIELD(max_pending_agents)},
    {"IssueKeys", set_bool, FIELD(issue_keys)},
    {"Sshd", set_path, FIELD(sshd)},
    {"PublicHost", set_host, FIELD(public_host)},
    {"PublicPort", set_port, FIELD(public_port)},
    {"JumpUser", set_name, FIELD(jump_user)},
    {"Contact", set_text, FIELD(contact)},
    {"MetricsListen", NULL, OWN(take_metrics_listen, false)},
    {"QuarantineTTL", set_duration, FIELD(quarantine_ttl_s)},
    {"KeepExpired", set_duration, FIELD(keep_expired_s)},
    {"AuditKeep", set_duration, FIELD(audit_keep_s)},
    {"HeartbeatInterval", set_duration, FIELD(heartbeat_interval_s)},
#undef FIELD
#undef OWN
};

enum { KEYWORD_COUNT = sizeof(keywords) / sizeof(keywords[0]) };

struct loading {
    struct conf *conf;
    const char *file;
    bool seen[KEYWORD_COUNT];
    bool own_open, own_listen_rule, own_listen; /* the first one replaces the defaults */
    bool is_daemon;
    bool is_tolerant; /* what is wrong goes to warnings, and the rest is read */
    char *err;
    struct buf *warnings;
};

/* What is to be returned for in->err: 0 where it is only noted. */
static int wrong(struct loading *in, int code)
{
    if (!in->is_tolerant)
        return code;
    if (in->warnings != NULL)
        buf_addf(in->warnings, "%s\n", in->err);
    return 0;
}

static const char *add_open(struct loading *in, char *const *words, size_t count)
{
    if (!in->own_open)
        ceiling_rules_release(&in->conf->ceiling.open);
    in->own_open = true;
    return set_rule(&in->conf->ceiling.open, words, count);
}

static const char *add_listen_rule(struct loading *in, char *const *words, size_t count)
{
    if (!in->own_listen_rule)
        ceiling_rules_release(&in->conf->ceiling.listen);
    in->own_listen_rule = true;
    return set_rule(&in->conf->ceiling.listen, words, count);
}

/* `unix:/path proxy GROUP`: what comes in there says itself who asked, so that who may connect has
 * to be named. */
static const char *set_proxy(struct conf_listener *l, char *const *words)
{
    if (strcasecmp(words[1], "proxy") != 0)
        return "takes one value, or unix:/path proxy GROUP";
    if (l->unix_path[0] == '\0')
        return "is a proxy's group, and stands behind unix:/path alone: any program of this host "
               "reaches a "
               "port";
    return set_name(l->proxy_group, words + 2, 1);
}

static const char *add_listen(struct loading *in, char *const *words, size_t count)
{
    struct conf *c = in->conf;
    if (count == 2 && strcasecmp(words[1], "proxy") == 0)
        return "names no group whose members may connect: unix:/path proxy GROUP";
    if (!in->own_listen)
        c->listen_count = 0;
    in->own_listen = true;
    if (c->listen_count == CONF_LISTENERS_MAX)
        return "is given more than 8 times";
    struct conf_listener *l = &c->listen[c->listen_count];
    const char *problem = set_listener(l, words, count == 3 ? 1 : count);
    if (problem == NULL && count == 3)
        problem = set_proxy(l, words);
    if (problem == NULL)
        c->listen_count++;
    return problem;
}

static const char *take_metrics_listen(struct loading *in, char *const *words, size_t count)
{
    in->conf->has_metrics_listen = true;
    return set_listener(&in->conf->metrics_listen, words, count);
}

static int bad_line(struct loading *in, const struct keyword_line *line, const char *problem)
{
    const char *value = line->value_count > 0 ? line->values[line->value_count - 1] : "";
    (void)snprintf(in->err, CONF_ERROR_BYTES, "%s:%u: %s%s%s %s", text_clip(in->file).s,
                   line->line_no, text_clip(line->keyword).s, line->value_count > 0 ? " " : "",
                   text_clip(value).s, problem);
    return wrong(in, 1);
}

static const char *set_keyword(struct loading *in, size_t i, char *const *words, size_t count)
{
    const struct keyword *k = &keywords[i];
    return k->take != NULL ? k->take(in, words, count)
                           : k->set((char *)in->conf + k->offset, words, count);
}

static int take_line(void *arg, const struct keyword_line *line)
{
    struct loading *in = arg;
    size_t i = 0;

    while (i < KEYWORD_COUNT && strcasecmp(line->keyword, keywords[i].name) != 0)
        i++;
    if (i == KEYWORD_COUNT)
        return bad_line(in, line, "is no keyword of tunlease.conf(5)");
    if (line->malformed != NULL)
        return bad_line(in, line, line->malformed);
    if (in->seen[i] && !keywords[i].repeatable)
        return bad_line(in, line, "is given a second time");
    in->seen[i] = true;
    const char *problem = set_keyword(in, i, line->values, line->value_count);
    return problem != NULL ? bad_line(in, line, problem) : 0;
}

/* ---- leased.env: the names of ssh-tunnel-gateway, in systemd's EnvironmentFile syntax ---- */

static const struct env_name {
    const char *name;
    const char *keyword; /* NULL: kept for later, or only warned about */
} env_names[] = {
    {"SSH_USER", "AgentLogin"},        {"SSH_JUMP_USER", "JumpUser"},
    {"SSH_PUBLIC_HOST", "PublicHost"}, {"AGENT_REVERSE_BIND_HOST", "AgentBindHost"},
    {"LEASE_TTL_DAYS", "DefaultTTL"},
};

struct env_ctx {
    struct loading *in;
    char host[CONF_TEXT_BYTES];
    char port[8];
};

static int bad_env(struct loading *in, const char *name, const char *problem)
{
    (void)snprintf(in->err, CONF_ERROR_BYTES, "%s: %s %s", text_clip(in->file).s, name, problem);
    return wrong(in, -1);
}

static int add_api_key(struct loading *in, const char *key)
{
    struct conf *c = in->conf;
    if (c->api_key_count == CONF_API_KEYS_MAX)
        return bad_env(in, "API_KEYS", "holds more than 32 keys");
    c->api_keys[c->api_key_count] = strdup(key);
    if (c->api_keys[c->api_key_count] == NULL)
        return bad_env(in, "API_KEYS", "does not fit in memory");
    c->api_key_count++;
    return 0;
}

static int take_api_keys(struct loading *in, char *value)
{
    char *rest = value;
    for (char *key; (key = strsep(&rest, ",")) != NULL;)
        if (*key != '\0' && add_api_key(in, key) != 0)
            return -1;
    return 0;
}

static void warn_ignored(struct loading *in, const char *name, const char *why)
{
    if (in->warnings != NULL)
        buf_addf(in->warnings, "%s: %s is not used: %s\n", in->file, name, why);
}

static int take_env_keyword(struct loading *in, const struct env_name *env, char *value)
{
    char days[CONF_TEXT_BYTES];
    int64_t count;
    size_t i = 0;
    if (strcmp(env->keyword, "DefaultTTL") == 0) {
        if (!number_parse(value, strlen(value), 0, 99999, &count))
            return bad_env(in, env->name, "is not a number of days");
        (void)snprintf(days, sizeof(days), "%" PRId64 "d", count);
        value = days;
    }
    while (strcmp(keywords[i].name, env->keyword) != 0)
        i++;
    const char *problem = set_keyword(in, i, &value, 1);
    return problem != NULL ? bad_env(in, env->name, problem) : 0;
}

static int take_env(struct env_ctx *ctx, const char *name, char *value)
{
    struct loading *in = ctx->in;
    if (*value == '\0') /* as if it were not there, as in ssh-tunnel-gateway's own examples */
        return 0;
    if (strcmp(name, "API_KEY") == 0)
        return add_api_key(in, value);
    if (strcmp(name, "API_KEYS") == 0)
        return take_api_keys(in, value);
    if (strcmp(name, "SERVER_HOST") == 0 || strcmp(name, "SERVER_PORT") == 0) {
        bool host = name[7] == 'H';
        if (strlcpy(host ? ctx->host : ctx->port, value,
                    host ? sizeof(ctx->host) : sizeof(ctx->port)) >=
            (host ? sizeof(ctx->host) : sizeof(ctx->port)))
            return bad_env(in, name, "is too long");
        return 0;
    }
    if (strcmp(name, "AUTHORIZED_KEYS_PATH") == 0)
        warn_ignored(in, name, "no authorized_keys file is ever written");
    if (strcmp(name, "STATE_DIR") == 0)
        warn_ignored(in, name, "the store is where Database says");
    for (size_t i = 0; i < sizeof(env_names) / sizeof(env_names[0]); i++)
        if (strcmp(env_names[i].name, name) == 0)
            return take_env_keyword(in, &env_names[i], value);
    return 0; /* other names in it are somebody else's */
}

/* `NAME=value`, the value optionally in quotes; blank lines and lines that start with # or ; are
 * comments (systemd.exec(5), EnvironmentFile=). */
static int take_env_line(struct env_ctx *ctx, char *line, unsigned line_no)
{
    char where[32];
    line += strspn(line, " \t");
    line[strcspn(line, "\r\n")] = '\0';
    if (*line == '\0' || *line == '#' || *line == ';')
        return 0;
    char *value = strchr(line, '=');
    if (value == NULL) { /* the line itself may be a secret */
        (void)snprintf(where, sizeof(where), "line %u", line_no);
        return bad_env(ctx->in, where, "is not NAME=value");
    }
    *value++ = '\0';
    size_t len = strlen(value);
    while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
        value[--len] = '\0';
    if (len >= 2 && (value[0] == '"' || value[0] == '\'') && value[len - 1] == value[0]) {
        value[len - 1] = '\0';
        value++;
    }
    return take_env(ctx, line, value);
}

static int replace_listen(struct env_ctx *ctx)
{
    char text[CONF_TEXT_BYTES + 16];
    char *word = text;
    bool bare_v6 = strchr(ctx->host, ':') != NULL && ctx->host[0] != '[';
    if (*ctx->host == '\0' && *ctx->port == '\0')
        return 0;
    (void)snprintf(text, sizeof(text), bare_v6 ? "[%s]:%s" : "%s:%s",
                   *ctx->host != '\0' ? ctx->host : "127.0.0.1",
                   *ctx->port != '\0' ? ctx->port : CONTROL_PORT_DEFAULT);
    ctx->in->own_listen = false;
    const char *problem = add_listen(ctx->in, &word, 1);
    return problem != NULL ? bad_env(ctx->in, "SERVER_HOST, SERVER_PORT:", problem) : 0;
}

/* It holds keys, so it is not for everybody to read: who may not does without what it sets. */
static int missing_env(struct loading *in, int error)
{
    if (error == ENOENT)
        return 0;
    if (error != EACCES || geteuid() == 0)
        return bad_env(in, "it", "cannot be read");
    if (in->warnings != NULL)
        buf_addf(in->warnings, "%s: only root may read it: what it sets is left out\n", in->file);
    return 0;
}

/* What it says is ours to read; a daemon does not go on with keys that others know. */
static int check_env_file(struct loading *in, int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return bad_env(in, "it", strerror(errno));
    const char *problem = keyfile_trust_problem(&st);
    if (problem != NULL)
        return bad_env(in, "it", problem);
    problem = keyfile_secrecy_problem(&st);
    if (problem == NULL)
        return 0;
    if (in->warnings != NULL && !in->is_daemon)
        buf_addf(in->warnings, "%s: it %s: %s\n", in->file, problem, keyfile_mend);
    if (!in->is_daemon)
        return 0;
    (void)snprintf(in->err, CONF_ERROR_BYTES, "%s: it %s: %s", text_clip(in->file).s, problem,
                   keyfile_mend);
    return -1;
}

static int load_env(struct loading *in, const char *conf_file)
{
    char path[CONF_ENV_PATH_BYTES];
    char line[4096];
    struct env_ctx ctx = {.in = in};
    int rc = -1;

    keyfile_env_path(conf_file, path);
    in->file = path;
    /* O_NONBLOCK: opening a FIFO must not wait for a writer. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return missing_env(in, errno);
    FILE *f = fdopen(fd, "r");
    if (f == NULL) {
        (void)close(fd);
        return bad_env(in, "it", "does not fit in memory");
    }
    if (check_env_file(in, fileno(f)) != 0)
        goto out;
    for (unsigned line_no = 1; fgets(line, sizeof(line), f) != NULL; line_no++) {
        if (strlen(line) == sizeof(line) - 1) { /* the rest would be read as another name */
            (void)bad_env(in, "it", "holds a line longer than 4094 bytes");
            goto out;
        }
        if (take_env_line(&ctx, line, line_no) != 0)
            goto out;
    }
    rc = replace_listen(&ctx);
out:
    explicit_bzero(line, sizeof(line));
    (void)fclose(f);
    return rc;
}

/* Of API_KEY or API_KEYS: taken out of the environment when it is first asked for. */
static const char *take_secret(const char *name, char **kept)
{
    char *value = getenv(name);
    if (value == NULL)
        return *kept;
    char *copy = strdup(value);
    if (copy == NULL)
        return value;
    free(*kept);
    *kept = copy;
    explicit_bzero(value, strlen(value)); /* where /proc/PID/environ shows it */
    (void)unsetenv(name);
    return *kept;
}

static const char *daemon_env(const char *name)
{
    static char *key, *keys;
    if (strcmp(name, "API_KEY") == 0)
        return take_secret(name, &key);
    return strcmp(name, "API_KEYS") == 0 ? take_secret(name, &keys) : getenv(name);
}

/* The same names in a daemon's own environment, which wins over the file. */
static int load_environment(struct loading *in)
{
    static const char *const others[] = {"API_KEY",     "API_KEYS",  "SERVER_HOST",
                                         "SERVER_PORT", "STATE_DIR", "AUTHORIZED_KEYS_PATH"};
    enum { OTHERS = sizeof(others) / sizeof(others[0]) };
    struct env_ctx ctx = {.in = in};
    char text[4096];
    in->file = "the environment";
    if (daemon_env("API_KEY") != NULL || daemon_env("API_KEYS") != NULL)
        conf_forget_keys(in->conf);
    for (size_t i = 0; i < OTHERS + sizeof(env_names) / sizeof(env_names[0]); i++) {
        const char *name = i < OTHERS ? others[i] : env_names[i - OTHERS].name;
        const char *value = daemon_env(name);
        if (value == NULL)
            continue;
        if (strlcpy(text, value, sizeof(text)) >= sizeof(text))
            return bad_env(in, name, "is too long");
        if (take_env(&ctx, name, text) != 0)
            return -1;
    }
    return replace_listen(&ctx);
}

/* ---- what must fit together ---- */

static bool is_loopback_host(const char *host)
{
    struct in_addr v4;
    return strcmp(host, "::1") == 0 ||
           (inet_pton(AF_INET, host, &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127);
}

static bool agent_host_in_ceiling(const struct conf *c)
{
    for (size_t i = 0; i < c->ceiling.listen.count; i++)
        if (ceiling_rule_holds(&c->ceiling.listen, i, c->agent_login) &&
            strcmp(c->ceiling.listen.items[i].permit.host, c->agent_bind_host) == 0)
            return true;
    return false;
}

/* How well an address serves agents, which ask the gateway's own sshd for 127.0.0.1. */
static int control_rank(const char *host)
{
    if (strcmp(host, "127.0.0.1") == 0)
        return 3;
    return strcmp(host, "0.0.0.0") == 0 ? 2 : is_loopback_host(host) ? 1 : 0;
}

static void choose_control(struct conf *c)
{
    const struct permit *best = NULL;
    for (size_t i = 0; i < c->listen_count; i++) {
        const struct permit *address = &c->listen[i].address;
        if (c->listen[i].unix_path[0] == '\0' &&
            (best == NULL || control_rank(address->host) > control_rank(best->host)))
            best = address;
    }
    if (best == NULL)
        return;
    c->ceiling.control = *best;
    if (strcmp(best->host, "0.0.0.0") == 0)
        (void)strlcpy(c->ceiling.control.host, "127.0.0.1", sizeof(c->ceiling.control.host));
}

static bool is_same_place(const struct conf_listener *a, const struct conf_listener *b)
{
    return strcmp(a->unix_path, b->unix_path) == 0 &&
           (a->unix_path[0] != '\0' ||
            (a->address.low == b->address.low && strcmp(a->address.host, b->address.host) == 0));
}

bool conf_same_listener(const struct conf_listener *a, const struct conf_listener *b)
{
    return is_same_place(a, b) && strcmp(a->proxy_group, b->proxy_group) == 0;
}

/* Whether one address stands in two lines: the second could not be listened on. */
static bool listens_twice(const struct conf *c)
{
    for (size_t i = 0; i < c->listen_count; i++) {
        if (c->has_metrics_listen && is_same_place(&c->listen[i], &c->metrics_listen))
            return true;
        for (size_t j = 0; j < i; j++)
            if (is_same_place(&c->listen[i], &c->listen[j]))
                return true;
    }
    return false;
}

static int check_together(struct conf *c, const char *file, char *err)
{
    const char *problem = NULL;
    char text[512];

    (void)strlcpy(c->ceiling.forward_login, c->forward_login, sizeof(c->ceiling.forward_login));
    (void)strlcpy(c->ceiling.agent_login, c->agent_login, sizeof(c->ceiling.agent_login));
    choose_control(c);
    for (size_t i = 0; i < c->listen_count; i++) {
        bool tcp = c->listen[i].unix_path[0] == '\0';
        if (tcp && !c->allow_plain_http && !is_loopback_host(c->listen[i].address.host))
            problem = "Listen names an address that is not loopback: put a TLS proxy in front, "
                      "or set AllowPlainHTTP yes";
    }
    bool has_proxy = false;
    for (size_t i = 0; i < c->listen_count; i++)
        has_proxy = has_proxy || c->listen[i].proxy_group[0] != '\0';
    if (has_proxy && c->proxy_header == PROXY_HEADER_NONE)
        problem =
            "ProxyHeader is missing: it names the header in which the proxy of 'Listen unix:/path "
            "proxy GROUP' says who asks";
    if (!has_proxy && c->proxy_header != PROXY_HEADER_NONE)
        problem = "ProxyHeader is believed on 'Listen unix:/path proxy GROUP' alone, and there is "
                  "no such line";
    if (listens_twice(c))
        problem = "an address stands in two lines of Listen and MetricsListen";
    if (c->max_ttl_s != 0 && c->default_ttl_s > c->max_ttl_s)
        problem = "DefaultTTL is longer than MaxTTL";
    if (strcmp(c->forward_login, c->agent_login) == 0)
        problem = "ForwardLogin and AgentLogin must be two logins";
    if (!agent_host_in_ceiling(c)) {
        bool v6 = strchr(c->agent_bind_host, ':') != NULL;
        char host[CONF_TEXT_BYTES + 2];
        (void)snprintf(host, sizeof(host), v6 ? "[%s]" : "%s", c->agent_bind_host);
        (void)snprintf(
            text, sizeof(text),
            "AgentBindHost (AGENT_REVERSE_BIND_HOST) %.80s does not lie within AllowListen: "
            "'AllowListen %.40s %.80s:20000-29999' would let agents listen there",
            host, c->agent_login, host);
        problem = text;
    }
    if (c->default_open.low != 0 &&
        ceiling_open_problem(&c->ceiling, c->forward_login, &c->default_open) != NULL)
        problem = "DefaultOpen does not lie within AllowOpen";
    if (problem == NULL)
        return 0;
    (void)snprintf(err, CONF_ERROR_BYTES, "%s: %s", text_clip(file).s, problem);
    return -1;
}

static int set_defaults(struct conf *c)
{
    struct permit p;
    *c = (struct conf){
        .paths = {.database = CONF_DEFAULT_DATABASE, .run_dir = CONF_DEFAULT_RUN_DIR},
        .forward_login = "pfwd",
        .agent_login = "gw-tunnel",
        .tunnel_group = "_tunnel",
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
    (void)permit_parse("127.0.0.1:" CONTROL_PORT_DEFAULT, PERMIT_PORT, &c->listen[0].address);
    (void)permit_parse("127.0.0.1:*", PERMIT_CEILING, &p);
    if (ceiling_rules_add(&c->ceiling.open, "", &p) != 0)
        return -1;
    (void)permit_parse("[::1]:*", PERMIT_CEILING, &p);
    if (ceiling_rules_add(&c->ceiling.open, "", &p) != 0)
        return -1;
    (void)permit_parse("127.0.0.1:20000-29999", PERMIT_CEILING, &p);
    return ceiling_rules_add(&c->ceiling.listen, "", &p);
}

/* As akc has them: what is to end something must act where akc reads. */
static int load_paths(const char *file, struct loading *in)
{
    const char *problem = conf_paths_load(file, &in->conf->paths);
    if (problem == NULL)
        return 0;
    (void)snprintf(in->err, CONF_ERROR_BYTES, "%s: %s", text_clip(in->file).s, problem);
    return -1;
}

static int load(const char *file, struct loading in, struct conf *ret)
{
    struct conf c;
    const char *path = file != NULL ? file : CONF_DEFAULT_FILE;
    char *err = in.err;
    int rc = -1;

    in.conf = &c;
    in.file = path;
    (void)snprintf(err, CONF_ERROR_BYTES, "%s: out of memory", text_clip(path).s);
    if (set_defaults(&c) != 0)
        goto out;
    int read_rc = keyword_read(path, take_line, &in);
    if (read_rc > 0)
        goto out;
    if (read_rc != KEYWORD_OK && !(read_rc == KEYWORD_NO_FILE && file == NULL)) {
        (void)snprintf(err, CONF_ERROR_BYTES, "%s: %s", text_clip(path).s,
                       keyword_strerror(read_rc));
        goto out;
    }
    if (in.is_tolerant && load_paths(file, &in) != 0)
        goto out;
    if (load_env(&in, path) != 0 && !in.is_tolerant)
        goto out;
    if ((in.is_daemon && load_environment(&in) != 0) ||
        (check_together(&c, path, err) != 0 && wrong(&in, -1) != 0))
        goto out;
    *ret = c;
    c = (struct conf){.listen_count = 0};
    err[0] = '\0';
    rc = 0;
out:
    conf_release(&c);
    return rc;
}

int conf_load(const char *file, struct conf *ret, char err[static CONF_ERROR_BYTES],
              struct buf *warnings)
{
    return load(file, (struct loading){.err = err, .warnings = warnings}, ret);
}

int conf_load_daemon(const char *file, struct conf *ret, char err[static CONF_ERROR_BYTES],
                     struct buf *warnings)
{
    return load(file, (struct loading){.err = err, .warnings = warnings, .is_daemon = true}, ret);
}

int conf_load_tolerant(const char *file, struct conf *ret, char err[static CONF_ERROR_BYTES],
                       struct buf *problems)
{
    return load(file, (struct loading){.err = err, .warnings = problems, .is_tolerant = true}, ret);
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
