/* SPDX-License-Identifier: ISC */
#include "lib/handout/connect_line.h"

#include "lib/base/buf.h"
#include "lib/conf/conf.h"
#include "lib/lease/local_port.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- forwards ---- */

static size_t count_ports(const struct lease *l)
{
    size_t count = 0;
    for (size_t i = 0; i < l->open.count; i++)
        count += (size_t)(l->open.items[i].high - l->open.items[i].low) + 1;
    return count;
}

int forwards_find(const struct lease *l, const struct opened_agents *agents, struct forwards *ret)
{
    const size_t most = count_ports(l) + 1; /* never 0: calloc may return NULL for it */
    struct forward *items = calloc(most, sizeof(*items));
    uint16_t *remote = calloc(most, sizeof(*remote)), *local = calloc(most, sizeof(*local));
    size_t count = 0;
    int rc = -1;
    if (items == NULL || remote == NULL || local == NULL)
        goto out;
    for (size_t i = 0; i < l->open.count; i++) {
        const struct permit *p = &l->open.items[i];
        if (opened_agents_sshd_at(agents, p) != NULL)
            continue;
        for (unsigned port = p->low; port <= p->high; port++) {
            items[count] = (struct forward){.permit = p, .port = (uint16_t)port};
            remote[count++] = (uint16_t)port;
        }
    }
    local_ports_assign(remote, count, local);
    for (size_t i = 0; i < count; i++)
        items[i].local_port = local[i];
    *ret = (struct forwards){.items = items, .count = count};
    items = NULL;
    rc = 0;
out:
    free(items);
    free(remote);
    free(local);
    return rc;
}

void forwards_release(struct forwards *f)
{
    free(f->items);
    *f = (struct forwards){.items = NULL};
}

/* ---- lines ---- */

bool connect_key_is_told(const struct lease *l)
{
    char comment[CONNECT_KEY_FILE_BYTES];
    (void)snprintf(comment, sizeof(comment), CONNECT_KEY_COMMENT_FORMAT, l->name);
    for (size_t i = 0; i < l->key_count; i++)
        if (strcmp(l->keys[i].pub.comment, comment) == 0)
            return true;
    return false;
}

static void add_forward(struct buf *out, const char *flag, const char *from, const char *to)
{
    /* Unquoted brackets are a pattern in zsh. */
    const char *quote = strpbrk(from, "[") != NULL || strpbrk(to, "[") != NULL ? "\"" : "";
    buf_addf(out, " %s %s%s:%s%s", flag, quote, from, to, quote);
}

static void add_key(struct buf *out, const char *key_file)
{
    if (key_file != NULL)
        buf_addf(out, " -o IdentitiesOnly=yes -i %s", key_file);
}

static void add_port(struct buf *out, const struct conf *conf)
{
    if (conf->public_port != 22)
        buf_addf(out, " -p %u", conf->public_port);
}

/* Adds the options of ssh that make a tunnel fail where it would stand unwatched or empty, whatever
 * the holder's ssh_config says. */
static void add_options(struct buf *out)
{
    /*
     * A master of the holder's (ControlMaster, ControlPersist) would take the forwards over and
     * live on unwatched; ClearAllForwardings drops even those of the command line. -N and -T win
     * over RemoteCommand and RequestTTY.
     */
    buf_add(out, "ssh -N -T -S none -o ControlPersist=no -o ExitOnForwardFailure=yes "
                 "-o ServerAliveInterval=15 -o ServerAliveCountMax=3 -o ClearAllForwardings=no");
}

void connect_add_tunnel(const struct conf *conf, const struct lease *l, const struct forwards *f,
                        struct buf *out)
{
    char from[PERMIT_TEXT_BYTES], to[PERMIT_TEXT_BYTES], key_file[CONNECT_KEY_FILE_BYTES];
    (void)snprintf(key_file, sizeof(key_file), CONNECT_KEY_FILE_FORMAT, l->name);
    add_options(out);
    add_key(out, connect_key_is_told(l) ? key_file : NULL);
    add_port(out, conf);
    for (size_t i = 0; i < f->count; i++) {
        struct permit one = *f->items[i].permit;
        one.low = one.high = f->items[i].port;
        permit_format(&one, to);
        (void)snprintf(from, sizeof(from), "%u", f->items[i].local_port);
        add_forward(out, "-L", from, to);
    }
    for (size_t i = 0; i < l->listen.count; i++) {
        permit_format(&l->listen.items[i], from);
        /* An example: the holder decides where it leads. */
        add_forward(out, "-R", from, "127.0.0.1:22");
    }
    buf_addf(out, " %s@%s", l->login, conf->public_host);
}

const char *connect_jump_host(const struct opened_agent *a)
{
    return permit_is_loopback4(&a->permit) ? "localhost" : a->permit.host;
}

/* Adds HOST:PORT, for a word that is in quotes where it must be. */
static void add_address(struct buf *out, const char *host, unsigned port)
{
    buf_addf(out, strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host, port);
}

static void add_jump_by_command(const struct conf *conf, const struct lease *l,
                                const struct opened_agent *a, const char *key_file, struct buf *out)
{
    add_key(out, key_file);
    buf_add(out, " -o \"ProxyCommand=ssh");
    add_key(out, key_file);
    buf_add(out, " -W ");
    add_address(out, connect_jump_host(a), a->permit.low);
    add_port(out, conf);
    buf_addf(out, " %s@%s\"", l->login, conf->public_host);
}

static void add_jump_by_option(const struct conf *conf, const struct lease *l, struct buf *out)
{
    const char *host = conf->public_host;
    if (strchr(host, ':') != NULL) {
        buf_addf(out, " -J \"%s@[%s]:%u\"", l->login, host, conf->public_port);
        return;
    }
    buf_addf(out, " -J %s@%s", l->login, host);
    if (conf->public_port != 22)
        buf_addf(out, ":%u", conf->public_port);
}

void connect_add_jump(const struct conf *conf, const struct lease *l, const struct opened_agent *a,
                      const char *key_file, struct buf *out)
{
    buf_add(out, "ssh");
    if (key_file != NULL)
        add_jump_by_command(conf, l, a, key_file, out);
    else
        add_jump_by_option(conf, l, out);
    buf_addf(out, " -p %u %s@%s", a->permit.low, a->user[0] != '\0' ? a->user : "USER",
             connect_jump_host(a));
}

static const struct opened_agent *first_sshd(const struct opened_agents *agents)
{
    for (size_t i = 0; i < agents->count; i++)
        if (agents->items[i].is_sshd)
            return &agents->items[i];
    return NULL;
}

void connect_add_line(const struct conf *conf, const struct lease *l,
                      const struct opened_agents *agents, struct buf *out)
{
    struct forwards f = {0};
    char key_file[CONNECT_KEY_FILE_BYTES];
    (void)snprintf(key_file, sizeof(key_file), CONNECT_KEY_FILE_FORMAT, l->name);
    const struct opened_agent *sshd = first_sshd(agents);
    if (forwards_find(l, agents, &f) != 0)
        out->failed = true;
    else if (f.count == 0 && l->listen.count == 0 && sshd != NULL)
        connect_add_jump(conf, l, sshd, connect_key_is_told(l) ? key_file : NULL, out);
    else
        connect_add_tunnel(conf, l, &f, out);
    forwards_release(&f);
}
