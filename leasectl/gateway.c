/* SPDX-License-Identifier: ISC */
#include "leasectl/gateway.h"

#include "leasectl/sshd.h"
#include "lib/base/buf.h"
#include "lib/conf/conf.h"
#include "lib/lease/lease.h"

#include <stdio.h>
#include <string.h>

uint16_t gateway_local_port(uint16_t port)
{
    return port < 1024 ? (uint16_t)(port + 10000) : port;
}

static void add_forward(struct buf *out, const char *flag, const char *from, const char *to)
{
    const char *quote = strpbrk(from, "[") != NULL || strpbrk(to, "[") != NULL ? "\"" : "";
    buf_addf(out, " %s %s%s:%s%s", flag, quote, from, to, quote);
}

static void add_open(struct buf *out, const struct permit *p)
{
    char from[8], to[PERMIT_TEXT_BYTES];
    for (unsigned port = p->low; port <= p->high; port++) {
        struct permit one = *p;
        one.low = one.high = (uint16_t)port;
        permit_format(&one, to);
        (void)snprintf(from, sizeof(from), "%u", gateway_local_port((uint16_t)port));
        add_forward(out, "-L", from, to);
    }
}

void gateway_connect_line(const struct conf *conf, const struct lease *l, struct buf *out)
{
    char from[PERMIT_TEXT_BYTES];
    buf_add(out, "ssh -N -T -o ExitOnForwardFailure=yes -o ServerAliveInterval=15 "
                 "-o ServerAliveCountMax=3 -o IdentitiesOnly=yes");
    buf_addf(out, " -i ~/.ssh/%s_key", l->name);
    if (conf->public_port != 22)
        buf_addf(out, " -p %u", conf->public_port);
    for (size_t i = 0; i < l->open.count; i++)
        add_open(out, &l->open.items[i]);
    for (size_t i = 0; i < l->listen.count; i++) {
        permit_format(&l->listen.items[i], from);
        add_forward(out, "-R", from, "127.0.0.1:22"); /* what it leads to is the holder's to say */
    }
    buf_addf(out, " %s@%s", l->login, conf->public_host);
}

bool gateway_host_key(struct pubkey *ret)
{
    struct buf files = {0};
    bool found = false;
    sshd_host_keys(&files);
    const char *file = buf_text(&files);
    /* ed25519 first: the one that clients of today are shown. */
    for (int pass = 0; !found && pass < 2; pass++) {
        for (const char *at = file; !found && at != NULL && *at != '\0';) {
            char path[512];
            size_t len = strcspn(at, "\n");
            (void)snprintf(path, sizeof(path), "%.*s.pub", (int)len, at);
            found = sshd_read_public_key(path, ret) &&
                    (pass == 1 || strcmp(ret->type, "ssh-ed25519") == 0);
            at += len + (at[len] == '\n' ? 1 : 0);
        }
    }
    buf_release(&files);
    return found;
}
