/* SPDX-License-Identifier: ISC */
#include "lib/lease/keyline.h"

#include "lib/base/buf.h"
#include "lib/lease/lease.h"
#include "lib/lease/time_text.h"

#include <stdio.h>
#include <string.h>

/*
 * The option for a direction in which the lease permits nothing: it must match nothing. The word
 * `none` is no option for it, since sshd would drop the whole line (docs/sshd-facts.md 6).
 *  - permitlisten: "NONE:1" never matches, because sshd puts the name that a client asks for into
 *    lower case, but not the rule. With a rule in lower case a client could ask for "none:1", and
 *    bind it where unprivileged ports start at 0.
 *  - permitopen: 255.255.255.255 matches only itself, cannot be connected to, and needs no DNS.
 */
static const char listen_nothing[] = "permitlisten=\"NONE:1\",";
static const char open_nothing[] = "permitopen=\"255.255.255.255:1\",";

static void add_option(struct buf *out, const char *option, const char *host, const char *ports)
{
    buf_add(out, option);
    buf_add(out, "=\"");
    buf_add(out, host);
    buf_add(out, ports);
    buf_add(out, "\",");
}

/* Without printf, which is a large part of akc's instructions when a lease has many ports. */
static void format_port(uint16_t port, char out[7])
{
    char digits[5];
    size_t n = 0;
    for (unsigned rest = port; rest > 0; rest /= 10)
        digits[n++] = (char)('0' + rest % 10);
    *out++ = ':';
    while (n > 0)
        *out++ = digits[--n];
    *out = '\0';
}

static void add_permits(struct buf *out, const char *option, const struct permit_list *list,
                        const char *nothing)
{
    char bracketed[PERMIT_HOST_BYTES + 2];
    char port_text[7];

    if (list->count == 0)
        buf_add(out, nothing);
    for (size_t i = 0; i < list->count; i++) {
        const struct permit *p = &list->items[i];
        const char *host = p->host;
        if (strchr(host, ':') != NULL) {
            (void)snprintf(bracketed, sizeof(bracketed), "[%s]", host);
            host = bracketed;
        }
        for (unsigned port = p->low; port <= p->high; port++) {
            format_port((uint16_t)port, port_text);
            add_option(out, option, host, port_text);
            /* People type it in this spelling, too (docs/sshd-facts.md 7). */
            if (permit_is_loopback4(p))
                add_option(out, option, "localhost", port_text);
        }
    }
}

static void format_line(const struct lease *l, const struct pubkey *key, const char *expiry,
                        struct buf *out)
{
    buf_add(out, "restrict,port-forwarding,");
    add_permits(out, "permitopen", &l->open, open_nothing);
    add_permits(out, "permitlisten", &l->listen, listen_nothing);
    if (l->from.count > 0) {
        buf_add(out, "from=\"");
        source_list_format(&l->from, out);
        buf_add(out, "\",");
    }
    buf_add(out, "expiry-time=\"");
    buf_add(out, expiry);
    buf_add(out, "\",command=\"" KEYLINE_COMMAND "\" ");
    buf_add(out, key->type);
    buf_add(out, " ");
    buf_add(out, key->base64);
    buf_add(out, " ");
    buf_add(out, l->name);
    buf_add(out, "\n");
}

void keyline_format(const struct lease *l, const struct pubkey *key, struct buf *out)
{
    char expiry[TIME_TEXT_BYTES];
    time_format_sshd(l->expires_s, expiry);
    format_line(l, key, expiry, out);
}

void keyline_format_local(const struct lease *l, const struct pubkey *key, struct buf *out)
{
    char expiry[TIME_TEXT_BYTES];
    time_format_sshd_local(l->expires_s, expiry);
    format_line(l, key, expiry, out);
}
