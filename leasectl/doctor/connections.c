/* SPDX-License-Identifier: ISC */
#include "leasectl/doctor/connections.h"

#include "lib/base/number.h"
#include "lib/lease/source.h"

#include <arpa/inet.h>
#include <bsd/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { VALUES_MAX = 24, SSH_PORT = 22 };

/* What Match lines compare, each value once. */
struct values {
    char items[VALUES_MAX][64];
    size_t count, left_out;
};

static void add_value(struct values *v, const char *value)
{
    for (size_t i = 0; i < v->count; i++)
        if (strcmp(v->items[i], value) == 0)
            return;
    if (v->count == VALUES_MAX || strlen(value) >= sizeof(v->items[0]))
        v->left_out++;
    else
        (void)strlcpy(v->items[v->count++], value, sizeof(v->items[0]));
}

static bool is_address(const char *text)
{
    unsigned char bytes[16];
    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

/* Adds one address of a network, not its first where it has more. */
static void add_address_of(struct values *v, const struct source *s)
{
    char text[64];
    unsigned char bytes[16];
    memcpy(bytes, s->bytes, sizeof(bytes));
    const size_t last = s->family == AF_INET ? 3 : 15;
    if (s->prefix_bits < 8 * (last + 1) - 1)
        bytes[last]++;
    if (inet_ntop(s->family, bytes, text, sizeof(text)) != NULL)
        add_value(v, text);
}

/* Adds an address that the pattern of a Match line holds for; an excluded one, too, since it is
 * treated otherwise. */
static void add_address_like(struct values *v, const char *pattern)
{
    struct source_list list;
    char text[64];
    size_t len = 0, dots = 0;
    pattern += *pattern == '!';
    if (source_list_parse(pattern, &list) == NULL && list.count > 0) {
        add_address_of(v, &list.items[0]);
        return;
    }
    for (; *pattern != '\0' && len < sizeof(text) - 8; pattern++) {
        dots += *pattern == '.';
        text[len++] = *pattern == '*' || *pattern == '?' ? '1' : *pattern;
    }
    for (; dots < 3; dots++) { /* `*` may stand for several parts of the address */
        text[len++] = '.';
        text[len++] = '1';
    }
    text[len] = '\0';
    if (is_address(text))
        add_value(v, text);
}

static void add_name_like(struct values *v, const char *pattern)
{
    char text[64];
    (void)strlcpy(text, pattern + (*pattern == '!'), sizeof(text));
    for (char *p = text; *p != '\0'; p++)
        if (*p == '*' || *p == '?')
            *p = 'x';
    add_value(v, text);
}

static void add_port(struct values *v, const char *pattern)
{
    add_value(v, pattern + (*pattern == '!'));
}

struct questions {
    struct values clients, hosts, locals, ports;
};

static void add_criterion(struct questions *q, const char *name, char *list)
{
    const struct {
        const char *name;
        struct values *values;
        void (*add)(struct values *, const char *);
    } criteria[] = {{"address", &q->clients, add_address_like},
                    {"host", &q->hosts, add_name_like},
                    {"localaddress", &q->locals, add_address_like},
                    {"localport", &q->ports, add_port}};
    for (size_t i = 0; i < sizeof(criteria) / sizeof(criteria[0]); i++)
        if (strcasecmp(criteria[i].name, name) == 0)
            for (char *entry; (entry = strsep(&list, ",")) != NULL;)
                criteria[i].add(criteria[i].values, entry);
}

static void add_match_lines(const struct doctor_run *d, struct questions *q)
{
    for (size_t i = 0; i < d->lines.count; i++) {
        if (strcmp(d->lines.items[i].keyword, "match") != 0)
            continue;
        char *words = strdup(d->lines.items[i].value), *rest = words, *word, *name = NULL;
        while ((word = strsep(&rest, " \t\"=")) != NULL) {
            if (*word == '\0' || (name == NULL && strcasecmp(word, "all") == 0))
                continue;
            if (name != NULL)
                add_criterion(q, name, word);
            name = name == NULL ? word : NULL;
        }
        free(words);
    }
}

/* The addresses and ports that sshd listens on: `127.0.0.1:22`, `[::]:22`. */
static void add_listeners(const struct doctor_run *d, struct questions *q)
{
    struct buf addresses = {0};
    sshd_setting_values(&d->global, "listenaddress", &addresses);
    char *rest = addresses.len > 0 ? addresses.data : NULL, *line;
    while ((line = strsep(&rest, "\n")) != NULL) {
        line[strcspn(line, " ")] = '\0';
        char *colon = strrchr(line, ':');
        if (colon == NULL)
            continue;
        *colon = '\0';
        add_value(&q->ports, colon + 1);
        line += *line == '[';
        line[strcspn(line, "]")] = '\0';
        if (is_address(line) && strcmp(line, "0.0.0.0") != 0 && strcmp(line, "::") != 0)
            add_value(&q->locals, line);
    }
    buf_release(&addresses);
}

static void add_connection(struct connections *ret, const char *login, const char *addr,
                           const char *host, const char *laddr, const char *port)
{
    int64_t number;
    if (!number_parse(port, strlen(port), 1, UINT16_MAX, &number))
        return;
    if (ret->count == CONNECTIONS_MAX) {
        ret->left_out++;
        return;
    }
    struct sshd_connection *c = &ret->items[ret->count++];
    *c = (struct sshd_connection){.login = login, .lport = (uint16_t)number};
    (void)strlcpy(c->addr, addr, sizeof(c->addr));
    (void)strlcpy(c->host, host, sizeof(c->host));
    (void)strlcpy(c->laddr, laddr, sizeof(c->laddr));
}

/* True when one Match line at least compares the gateway's own address. */
static bool local_addresses_matter(const struct doctor_run *d)
{
    for (size_t i = 0; i < d->lines.count; i++)
        if (strcmp(d->lines.items[i].keyword, "match") == 0 &&
            strcasestr(d->lines.items[i].value, "localaddress") != NULL)
            return true;
    return d->lines.incomplete;
}

void connections_for(const struct doctor_run *d, const char *login, struct connections *ret)
{
    static const char *const outside[] = {"127.0.0.1", "192.0.2.1", "2001:db8::1"};
    struct questions q = {0};
    char dns[8];
    ret->count = ret->left_out = 0;
    for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++)
        add_value(&q.clients, outside[i]);
    add_listeners(d, &q);
    if (q.locals.count == 0)
        add_value(&q.locals, "127.0.0.1");
    if (q.ports.count == 0)
        add_value(&q.ports, "22");
    add_match_lines(d, &q);
    for (size_t i = 0; i < d->source_count; i++)
        if (strcmp(d->sources[i].login, login) == 0)
            add_address_of(&q.clients, &d->sources[i].source);
    sshd_setting(&d->global, "usedns", dns, sizeof(dns));
    const bool named = strcmp(dns, "yes") == 0;
    const size_t locals = local_addresses_matter(d) ? q.locals.count : 1;
    for (size_t l = 0; l < locals; l++)
        for (size_t p = 0; p < q.ports.count; p++) {
            for (size_t i = 0; i < q.clients.count; i++)
                add_connection(ret, login, q.clients.items[i], q.clients.items[i],
                               q.locals.items[l], q.ports.items[p]);
            for (size_t i = 0; named && i < q.hosts.count; i++)
                add_connection(ret, login, "192.0.2.1", q.hosts.items[i], q.locals.items[l],
                               q.ports.items[p]);
        }
    ret->left_out += d->sources_lost;
    ret->left_out += q.clients.left_out + q.hosts.left_out + q.locals.left_out + q.ports.left_out;
}

void connection_add_words(const struct connections *all, const struct sshd_connection *c,
                          struct buf *out)
{
    const struct sshd_connection *first = &all->items[0];
    if (strcmp(c->host, c->addr) != 0)
        buf_addf(out, " from a host named '%s'", c->host);
    else if (strcmp(c->addr, first->addr) != 0)
        buf_addf(out, " from %s", c->addr);
    if (c->lport != first->lport)
        buf_addf(out, " to port %u", c->lport);
    if (strcmp(c->laddr, first->laddr) != 0)
        buf_addf(out, " to %s", c->laddr);
}
