/* SPDX-License-Identifier: ISC */
#include "leasectl/host/gateway.h"

#include "leasectl/host/sshd.h"
#include "leasectl/host/sshd_settings.h"
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

static void add_open_forwards(struct buf *out, const struct permit *p)
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
        add_open_forwards(out, &l->open.items[i]);
    for (size_t i = 0; i < l->listen.count; i++) {
        permit_format(&l->listen.items[i], from);
        /* An example: the holder decides where it leads. */
        add_forward(out, "-R", from, "127.0.0.1:22");
    }
    buf_addf(out, " %s@%s", l->login, conf->public_host);
}

/* files: paths of private host keys, one a line. */
static bool read_host_key(const char *files, struct pubkey *ret)
{
    bool found = false;
    /* ed25519 first: it is the one that current clients ask for. */
    for (int pass = 0; !found && pass < 2; pass++) {
        for (const char *at = files; !found && *at != '\0';) {
            char path[512];
            size_t len = strcspn(at, "\n");
            (void)snprintf(path, sizeof(path), "%.*s.pub", (int)len, at);
            found = sshd_read_public_key(path, ret) &&
                    (pass == 1 || strcmp(ret->type, "ssh-ed25519") == 0);
            at += len + (at[len] == '\n' ? 1 : 0);
        }
    }
    return found;
}

int gateway_host_key(const struct conf *conf, struct pubkey *ret, struct buf *out)
{
    struct sshd sshd;
    struct buf files = {0};
    int rc = -1;
    if (sshd_find(conf, &sshd, out) != 0)
        return -1;
    if (sshd_host_keys(&sshd, &files) != 0)
        buf_add(out, buf_text(&files) != NULL ? buf_text(&files) : "out of memory");
    else if (buf_text(&files) == NULL || !read_host_key(buf_text(&files), ret))
        buf_addf(out,
                 "none of sshd's host keys has a readable .pub file next to it: 'ssh-keygen -y "
                 "-f %.*s' prints what it must contain",
                 buf_text(&files) != NULL ? (int)strcspn(buf_text(&files), "\n") : 0,
                 buf_text(&files) != NULL ? buf_text(&files) : "");
    else
        rc = 0;
    buf_release(&files);
    return rc;
}
