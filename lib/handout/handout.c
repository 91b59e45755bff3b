/* SPDX-License-Identifier: ISC */
#include "lib/handout/handout.h"

#include "lib/handout/connect_line.h"
#include "lib/base/buf.h"
#include "lib/conf/conf.h"
#include "lib/lease/lease.h"
#include "lib/lease/time_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What is printed of one lease. */
struct handout {
    const struct conf *conf;
    const struct lease *lease;
    const struct opened_agents *agents;
    struct forwards forwards;
    char key_file[CONNECT_KEY_FILE_BYTES];
    bool key_is_told; /* the holder's key is in key_file */
};

static bool has_tunnel(const struct handout *h)
{
    return h->forwards.count > 0 || h->lease->listen.count > 0;
}

static unsigned count_sshds(const struct handout *h)
{
    unsigned count = 0;
    for (size_t i = 0; i < h->agents->count; i++)
        count += h->agents->items[i].is_sshd ? 1 : 0;
    return count;
}

static void add_jump(const struct handout *h, const struct opened_agent *a, const char *key_file,
                     struct buf *out)
{
    connect_add_jump(h->conf, h->lease, a, key_file, out);
}

/* ---- the lines ---- */

static void add_lines(const struct handout *h, struct buf *out)
{
    if (has_tunnel(h)) {
        buf_add(out, "  ");
        connect_add_tunnel(h->conf, h->lease, &h->forwards, out);
        buf_add(out, "\n\n");
    }
    for (size_t i = 0; i < h->agents->count; i++) {
        if (!h->agents->items[i].is_sshd)
            continue;
        buf_add(out, "  ");
        add_jump(h, &h->agents->items[i], h->key_is_told ? h->key_file : NULL, out);
        buf_add(out, "\n\n");
    }
}

/* ---- how to use them ---- */

/* Adds a line for forwards whose ports follow each other at both ends. */
static void add_url(const struct forward *first, const struct forward *last, struct buf *out)
{
    char target[PERMIT_TEXT_BYTES];
    struct permit p = *first->permit;
    buf_addf(out, "then use   http://127.0.0.1:%u/", first->local_port);
    if (last != first)
        buf_addf(out, " to :%u/", last->local_port);
    p.low = first->port;
    p.high = last->port;
    permit_format(&p, target);
    if (first->port != first->local_port || !permit_is_loopback4(&p))
        buf_addf(out, "   (%s)", target);
    buf_add(out, "\n");
}

/* The same, as a program with fields for it wants it (PuTTY). */
static void add_forward(const struct forward *first, const struct forward *last, struct buf *out)
{
    char target[PERMIT_TEXT_BYTES];
    struct permit p = *first->permit;
    p.low = first->port;
    p.high = last->port;
    permit_format(&p, target);
    if (last == first)
        buf_addf(out, "forward    -L %u:%s\n", first->local_port, target);
    else
        buf_addf(out, "forward    -L of each port, %u to %u: %s\n", first->local_port,
                 last->local_port, target);
}

typedef void forward_line(const struct forward *first, const struct forward *last, struct buf *out);

static void add_each(const struct forwards *f, forward_line *add, struct buf *out)
{
    for (size_t i = 0, end; i < f->count; i = end) {
        const struct forward *first = &f->items[i];
        end = i + 1;
        while (end < f->count && f->items[end].permit == first->permit &&
               f->items[end].local_port == f->items[end - 1].local_port + 1)
            end++;
        add(first, &f->items[end - 1], out);
    }
}

static void add_jumps(const struct handout *h, struct buf *out)
{
    for (size_t i = 0; i < h->agents->count; i++) {
        const struct opened_agent *a = &h->agents->items[i];
        if (!a->is_sshd)
            continue;
        buf_addf(out, "logs in    on the host of agent '%s' as ", a->name);
        if (a->user[0] != '\0')
            buf_addf(out, "%s; for another user there, change that name\n", a->user);
        else
            buf_add(out, "USER: put the name of a user there in its place\n");
    }
}

/* How one jumps with a key that ssh does not find by itself, in the column that begins with word.
 */
static void add_jump_with_file(const struct handout *h, const char *word, struct buf *out)
{
    for (size_t i = 0; i < h->agents->count; i++) {
        if (!h->agents->items[i].is_sshd)
            continue;
        buf_addf(out, "%-10s but to jump with it, since -J gives -i to the last hop alone:\n%11s",
                 word, "");
        add_jump(h, &h->agents->items[i], "FILE", out);
        buf_add(out, "\n");
        break;
    }
}

/* Where the key is ours to name, the lines name it. Else ssh looks for it by itself; where it does
 * not look, the holder has to say so, and for a jump twice. */
static void add_key_note(const struct handout *h, struct buf *out)
{
    if (h->lease->key_count == 0)
        return;
    const struct pubkey *key = &h->lease->keys[h->lease->key_count - 1].pub;
    if (h->key_is_told) {
        buf_addf(out, "with key   %s, as the ssh-keygen line made it\n", h->key_file);
        return;
    }
    buf_addf(out, "with key   %s's own (%s):\n", h->lease->name, key->fingerprint);
    buf_add(out, "           ssh finds it in an agent or as ~/.ssh/id_*; else add -i FILE\n");
    add_jump_with_file(h, "", out);
}

static void add_listens(const struct handout *h, struct buf *out)
{
    const struct lease *l = h->lease;
    for (size_t i = 0; i < l->listen.count; i++)
        buf_addf(out,
                 "listens on %s:%u of this host; put what it leads to in place of 127.0.0.1:22\n",
                 l->listen.items[i].host, l->listen.items[i].low);
    if (l->listen.count > 0)
        buf_add(out,
                "sessions   one at a time: a lease that listens has one connection, the newest "
                "wins\n");
}

static void add_rest(const struct handout *h, const struct pubkey *host_key, struct buf *out)
{
    char until[TIME_TEXT_BYTES];
    const struct lease *l = h->lease;
    add_listens(h, out);
    if (l->expires_s != INT64_MAX) {
        time_format_zoned(l->expires_s, until);
        buf_addf(out, "until      %s\n", until);
    }
    if (host_key == NULL)
        return;
    buf_addf(out, "host key   %s %s\n", host_key->type, host_key->fingerprint);
    buf_addf(out, "prove it   leasectl verify %s\n", l->name);
}

/* 0, or -1: out of memory. */
static int begin(struct handout *h, const struct conf *conf, const struct lease *l,
                 const struct opened_agents *agents)
{
    *h = (struct handout){
        .conf = conf, .lease = l, .agents = agents, .key_is_told = connect_key_is_told(l)};
    (void)snprintf(h->key_file, sizeof(h->key_file), CONNECT_KEY_FILE_FORMAT, l->name);
    return forwards_find(l, agents, &h->forwards);
}

void handout_add(const struct conf *conf, const struct lease *l, const struct opened_agents *agents,
                 const struct pubkey *host_key, struct buf *out)
{
    struct handout h;
    if (begin(&h, conf, l, agents) != 0) {
        out->failed = true;
        return;
    }
    const bool several = (has_tunnel(&h) ? 1 : 0) + count_sshds(&h) > 1;
    buf_addf(out, "Send %s %s in any shell, PowerShell too:\n\n", l->name,
             several ? "these lines; they work" : "this line; it works");
    add_lines(&h, out);
    add_each(&h.forwards, add_url, out);
    add_jumps(&h, out);
    if (count_sshds(&h) > 0)
        buf_addf(out, "or         leasectl ssh-config %s   (stanzas that pin that host's key)\n",
                 l->name);
    add_key_note(&h, out);
    add_rest(&h, host_key, out);
    forwards_release(&h.forwards);
}

/* ---- for who has joined ---- */

static void add_joined(const struct lease *l, const struct pubkey *key, struct buf *out)
{
    char until[TIME_TEXT_BYTES];
    time_format_zoned(l->expires_s, until);
    buf_addf(out, "joined as '%s' with your key %s %s until %s\n", l->name, key->type,
             key->fingerprint, until);
}

static void add_fields(const struct handout *h, struct buf *out)
{
    char bind[PERMIT_TEXT_BYTES];
    buf_addf(out, "login      %s\nhost       %s\nport       %u\n", h->lease->login,
             h->conf->public_host, h->conf->public_port);
    for (size_t i = 0; i < h->lease->listen.count; i++) {
        permit_format(&h->lease->listen.items[i], bind);
        buf_addf(out, "forward    -R %s:127.0.0.1:22\n", bind);
    }
}

/* A lease with ranges of ports may have thousands of forwards. */
static void add_without_lines(const struct handout *h, struct buf *out)
{
    char target[PERMIT_TEXT_BYTES];
    buf_add(out, "The line that forwards all of it is too long to be printed. Forward what you "
                 "need of this, with ssh -L:\n\n");
    add_fields(h, out);
    for (size_t i = 0; i < h->lease->open.count; i++) {
        permit_format(&h->lease->open.items[i], target);
        buf_addf(out, "forward    to %s\n", target);
    }
}

static void add_with_lines(const struct handout *h, struct buf *out)
{
    buf_add(out, "Now, with the same key (where ssh does not find it by itself, add -i FILE):\n\n");
    add_lines(h, out);
    add_fields(h, out);
    add_each(&h->forwards, add_forward, out);
    add_each(&h->forwards, add_url, out);
    add_jumps(h, out);
    add_jump_with_file(h, "-i FILE", out);
}

void handout_add_joined(const struct conf *conf, const struct lease *l,
                        const struct opened_agents *agents, const struct pubkey *key,
                        struct buf *out)
{
    struct handout h;
    if (begin(&h, conf, l, agents) != 0) {
        out->failed = true;
        return;
    }
    add_joined(l, key, out);
    const size_t before = out->len;
    add_with_lines(&h, out);
    if (!out->failed && out->len - before > HANDOUT_LINES_MAX) {
        out->len = before;
        out->data[before] = '\0';
        add_without_lines(&h, out);
    }
    add_listens(&h, out);
    forwards_release(&h.forwards);
}
