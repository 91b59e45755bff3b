/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/config/leg.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { HOST_MAX = 253, SPEC_FIELDS = 4 };

static const char out_of_memory[] = "does not fit in memory";

void leg_release(struct leg *leg)
{
    free(leg->to);
    for (size_t i = 0; i < leg->ssh_option_count; i++)
        free(leg->ssh_options[i]);
    for (size_t i = 0; i < leg->forward_count; i++) {
        free(leg->forwards[i].bind);
        free(leg->forwards[i].host);
    }
    free(leg->forwards);
    free(leg->reverse);
    free(leg->control_sock);
    free(leg->control_to);
    free(leg->known_hosts);
    free(leg->config_file);
    free(leg->identity);
    *leg = (struct leg){0};
}

uint16_t leg_port(const char *text)
{
    const char *problem = NULL;
    if (!isdigit((unsigned char)text[0])) /* strtonum would accept blanks and a sign */
        return 0;
    long long port = strtonum(text, 1, 65535, &problem);
    return problem == NULL ? (uint16_t)port : 0;
}

/* ssh gets the host as one argument, so no shell of ours reads it. But ssh would take a leading '-'
 * as an option, and it puts the host into ProxyCommand, which a shell does read. */
static bool is_safe_host(const char *s, const char *more)
{
    if (*s == '\0' || *s == '-' || strlen(s) > HOST_MAX)
        return false;
    for (; *s != '\0'; s++)
        if (!isalnum((unsigned char)*s) && strchr("._-", *s) == NULL && strchr(more, *s) == NULL)
            return false;
    return true;
}

const char *leg_set_to(struct leg *leg, const char *to)
{
    const char *host = strncmp(to, "ssh://", 6) == 0 ? to + 6 : to;
    const char *at = strrchr(host, '@');
    char *copy;

    if (at != NULL && (at == host || host[0] == '-' || (size_t)(at - host) > HOST_MAX))
        return "names no user before its '@'";
    for (const char *p = host; at != NULL && p < at; p++)
        if (!isgraph((unsigned char)*p) || strchr("'\"`$\\;&<>|(){}", *p) != NULL)
            return "has a user name with a character that a shell could interpret";
    if (!is_safe_host(at != NULL ? at + 1 : host, host == to ? ":%" : ":[]%"))
        return "is no [USER@]HOST, and no ssh://[USER@]HOST[:PORT]";
    copy = strdup(to);
    if (copy == NULL)
        return out_of_memory;
    free(leg->to);
    leg->to = copy;
    return NULL;
}

const char *leg_set_login(struct leg *leg, const char *login)
{
    const int scheme_len = strncmp(leg->to, "ssh://", 6) == 0 ? 6 : 0;
    const char *host = leg->to + scheme_len, *at = strrchr(host, '@');
    char *to = NULL;
    if (asprintf(&to, "%.*s%s@%s", scheme_len, leg->to, login, at != NULL ? at + 1 : host) < 0)
        return out_of_memory;
    const char *problem = leg_set_to(leg, to);
    free(to);
    return problem;
}

void leg_name_from_host(struct leg *leg)
{
    const char *at = strrchr(leg->to, '@');
    const char *host = at != NULL ? at + 1 : leg->to;
    size_t n = 0;
    if (strncmp(leg->to, "ssh://", 6) == 0) {
        if (strlcpy(leg->name, leg->to, sizeof(leg->name)) < sizeof(leg->name))
            return; /* whole, because host and port without their colon would look like a host */
        host = at != NULL ? host : leg->to + 6;
    }
    for (const char *p = host; *p != '\0' && n < LEASE_NAME_MAX; p++)
        if (isalnum((unsigned char)*p) || *p == '_' || (n > 0 && strchr(".-", *p) != NULL))
            leg->name[n++] = *p;
    leg->name[n] = '\0';
    if (n == 0)
        (void)strlcpy(leg->name, "tunnel", sizeof(leg->name));
}

/* LOW or LOW-HIGH. */
static bool parse_ports(const char *text, uint16_t *ret_low, uint16_t *ret_high)
{
    char low[16];
    const char *dash = strchr(text, '-');
    if (dash == NULL) {
        *ret_low = *ret_high = leg_port(text);
        return *ret_low != 0;
    }
    if ((size_t)(dash - text) >= sizeof(low))
        return false;
    memcpy(low, text, (size_t)(dash - text));
    low[dash - text] = '\0';
    *ret_low = leg_port(low);
    *ret_high = leg_port(dash + 1);
    return *ret_low != 0 && *ret_high >= *ret_low;
}

/* Splits spec in place at colons outside brackets, and removes the brackets. The number of fields,
 * or 0 if spec is malformed. */
static size_t split_spec(char *spec, char *fields[SPEC_FIELDS])
{
    size_t count = 0;
    char *p = spec;
    for (;;) {
        if (count == SPEC_FIELDS)
            return 0;
        fields[count] = p;
        if (*p == '[') {
            fields[count] = p + 1;
            p = strchr(p, ']');
            if (p == NULL || (p[1] != ':' && p[1] != '\0'))
                return 0;
            *p++ = '\0';
        } else {
            p += strcspn(p, ":");
        }
        count++;
        if (*p == '\0')
            return count;
        *p++ = '\0';
    }
}

static bool is_loopback(const char *bind)
{
    return strncmp(bind, "127.", 4) == 0 || strcmp(bind, "::1") == 0 ||
           strcasecmp(bind, "localhost") == 0;
}

size_t leg_range_from(const struct leg *leg, size_t first)
{
    const struct forward *f = &leg->forwards[first];
    size_t n = 1;
    while (first + n < leg->forward_count && n < LEG_RANGE_PORTS &&
           strcmp(f[n].bind, f->bind) == 0 && strcmp(f[n].host, f->host) == 0 &&
           f[n].port == f->port + n && f[n].host_port == f->host_port + n)
        n++;
    return n;
}

bool forward_collides(const struct forward *a, const struct forward *b)
{
    const char *x = strcasecmp(a->bind, "localhost") == 0 ? "127.0.0.1" : a->bind;
    const char *y = strcasecmp(b->bind, "localhost") == 0 ? "127.0.0.1" : b->bind;
    if (a->port != b->port || a->port == 0)
        return false;
    if (strcmp(x, y) == 0 || strcmp(x, "*") == 0 || strcmp(y, "*") == 0)
        return true;
    /* ssh sets SO_REUSEADDR, but even so a listener on every address excludes any other one of its
     * family on that port. */
    bool six = strchr(x, ':') != NULL;
    return six == (strchr(y, ':') != NULL) &&
           (strcmp(x, six ? "::" : "0.0.0.0") == 0 || strcmp(y, six ? "::" : "0.0.0.0") == 0);
}

static const char *add_forward(struct leg *leg, const struct forward *f)
{
    struct forward copy = *f;
    for (size_t i = 0; i < leg->forward_count; i++)
        if (forward_collides(&leg->forwards[i], f))
            return "uses a local port that another forward of this tunnel has";
    if (leg->forward_count == LEG_FORWARDS_MAX)
        return "is one forward too many: 256 is the limit";
    struct forward *more =
        reallocarray(leg->forwards, leg->forward_count + 1, sizeof(leg->forwards[0]));
    if (more == NULL)
        return out_of_memory;
    leg->forwards = more;
    copy.bind = strdup(f->bind);
    copy.host = strdup(f->host);
    if (copy.bind == NULL || copy.host == NULL) {
        free(copy.bind);
        free(copy.host);
        return out_of_memory;
    }
    leg->forwards[leg->forward_count++] = copy;
    return NULL;
}

const char *leg_add_forward(struct leg *leg, const char *spec, const char **ret_warning)
{
    static const char grammar[] =
        "is no [BIND:]PORT:HOST:HOSTPORT (or PORT, or LOW-HIGH, for the same ports at both ends)";
    char text[600], *fields[SPEC_FIELDS];
    uint16_t low, high, far_low, far_high;
    char loopback[] = "127.0.0.1", any[] = "*";
    struct forward f = {.bind = loopback, .host = loopback};
    const char *problem = NULL;

    *ret_warning = NULL;
    if (strlcpy(text, spec, sizeof(text)) >= sizeof(text))
        return grammar;
    size_t count = split_spec(text, fields), at = count == 4 ? 1 : 0;
    if (count != 1 && count != 3 && count != 4)
        return grammar;
    if (count == 4) {
        f.bind = fields[0][0] != '\0' ? fields[0] : any;
        if (strcmp(f.bind, "*") != 0 && !is_safe_host(f.bind, ":%"))
            return "has no valid bind address";
        if (!is_loopback(f.bind))
            *ret_warning = "listens beyond loopback: every host that reaches this one can use it";
    }
    if (count >= 3) {
        f.host = fields[at + 1];
        if (!is_safe_host(f.host, ":%"))
            return "names no host to forward to";
    }
    if (leg->is_for_command && count >= 3 && strcmp(fields[at], "0") == 0)
        low = high = 0;
    else if (!parse_ports(fields[at], &low, &high))
        return leg->is_for_command ? "has a local port that is not 0-65535"
                                   : "has a local port that is not 1-65535";
    if (!parse_ports(fields[count - 1], &far_low, &far_high))
        return "has a remote port that is not 1-65535";
    if (leg->is_for_command && (high != low || far_high != far_low))
        return "is a range: a command is told of each port by its own name";
    for (size_t i = 0; leg->is_for_command && i < leg->forward_count; i++)
        if (leg->forwards[i].host_port == far_low)
            return "has the remote port of another -L: the command is told of both by one name";
    if (high - low >= LEG_RANGE_PORTS)
        return "spans more than 256 ports";
    if (high - low != far_high - far_low)
        return "has ranges of different lengths";
    size_t before = leg->forward_count;
    for (unsigned i = 0; problem == NULL && i <= (unsigned)(high - low); i++) {
        f.port = (uint16_t)(low + i);
        f.host_port = (uint16_t)(far_low + i);
        problem = add_forward(leg, &f);
    }
    while (problem != NULL && leg->forward_count > before) {
        leg->forward_count--;
        free(leg->forwards[leg->forward_count].bind);
        free(leg->forwards[leg->forward_count].host);
    }
    return problem;
}

/* Refuses settings that would add a forward which we do not know of, or stop our supervision. */
static const char *setting_problem(const char *setting)
{
    static const char *const names[] = {"LocalForward", "RemoteForward", "DynamicForward",
                                        "ForkAfterAuthentication", "ClearAllForwardings"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t len = strlen(names[i]);
        if (strncasecmp(setting, names[i], len) == 0 && setting[len] != '\0' &&
            strchr("= \t", setting[len]) != NULL)
            return i == 0 ? "opens a forward of its own: use -L or Forward"
                          : "cannot be supervised here";
    }
    return strpbrk(setting, "= \t") != NULL ? NULL : "is no NAME=VALUE";
}

static const char *value_problem(const char *option, const char *value)
{
    if (strcmp(option, "-p") == 0)
        return leg_port(value) != 0 ? NULL : "is no port of 1-65535";
    if (strcmp(option, "-o") == 0)
        return setting_problem(value);
    if (strcmp(option, "-i") == 0 && access(value, R_OK) != 0)
        return errno == EACCES ? "cannot be read by you" : strerror(errno);
    return NULL;
}

const char *leg_add_ssh_option(struct leg *leg, const char *option, const char *value)
{
    const char *problem = value_problem(option, value);
    size_t need = value != NULL ? 2 : 1;
    if (problem != NULL)
        return problem;
    if (leg->ssh_option_count + need > LEG_SSH_OPTIONS_MAX)
        return "is one option of ssh too many";
    for (const char *p = value; p != NULL && *p != '\0'; p++)
        if (iscntrl((unsigned char)*p))
            return "holds a control character";
    char *first = strdup(option), *second = value != NULL ? strdup(value) : NULL;
    if (first == NULL || (value != NULL && second == NULL)) {
        free(first);
        free(second);
        return out_of_memory;
    }
    leg->ssh_options[leg->ssh_option_count++] = first;
    if (second != NULL)
        leg->ssh_options[leg->ssh_option_count++] = second;
    return NULL;
}

const char *leg_set_probe(struct leg *leg, const char *spec)
{
    if (strcmp(spec, "tcp") == 0 || strcmp(spec, "none") == 0) {
        leg->probe = spec[0] == 't' ? PROBE_TCP : PROBE_NONE;
        return NULL;
    }
    if (strncmp(spec, "http:/", 6) != 0)
        return "is neither tcp, http:/PATH nor none";
    for (const char *p = spec; *p != '\0'; p++)
        if (!isgraph((unsigned char)*p))
            return "has a path with a blank or a character that must be %-escaped";
    if (strlcpy(leg->probe_path, spec + 5, sizeof(leg->probe_path)) >= sizeof(leg->probe_path))
        return "has a path of more than 255 characters";
    leg->probe = PROBE_HTTP;
    return NULL;
}

const char *leg_set_host_key(struct leg *leg, const char *fingerprint)
{
    const char *p = fingerprint;
    if (strncmp(p, "SHA256:", 7) != 0 || strlen(p) != FINGERPRINT_BYTES - 1)
        return "is no SHA256:... of 43 characters, as ssh-keygen -l prints it";
    for (p += 7; *p != '\0'; p++)
        if (!isalnum((unsigned char)*p) && *p != '+' && *p != '/')
            return "is no SHA256:... of 43 characters, as ssh-keygen -l prints it";
    (void)strlcpy(leg->host_key, fingerprint, sizeof(leg->host_key));
    return NULL;
}
