/* SPDX-License-Identifier: ISC */
#include "lib/lease/authorized/words.h"

#include "lib/base/buf.h"
#include "lib/lease/authorized/allows.h"
#include "lib/lease/time_text.h"

#include <stdarg.h>
#include <string.h>
#include <strings.h>

enum { SHOWN_PERMITS = 16 }; /* of each direction; the rest is a number */

void authorized_add_word(struct buf *out, size_t start, const char *fmt, ...)
{
    va_list ap;
    buf_add(out, out->len > start ? "; " : "");
    va_start(ap, fmt);
    buf_vaddf(out, fmt, ap);
    va_end(ap);
}

static void add_permits(const struct authorized_permits *permits, bool listen, struct buf *out,
                        size_t start)
{
    size_t shown = 0;
    for (size_t i = 0; i < permits->count; i++) {
        const struct authorized_permit *p = &permits->items[i];
        if (authorized_permit_is_sentinel(p, listen) || authorized_permit_is_void(p, listen))
            continue;
        shown++;
        if (shown == 1)
            authorized_add_word(out, start, "-%c %s", listen ? 'R' : 'L', p->text);
        else if (shown <= SHOWN_PERMITS)
            buf_addf(out, " %s", p->text);
    }
    if (shown > SHOWN_PERMITS)
        buf_addf(out, " and %zu more", shown - SHOWN_PERMITS);
}

static void add_end(const struct authorized_line *l, struct buf *out, size_t start)
{
    char text[TIME_TEXT_BYTES];
    if (l->expires_text == NULL)
        return;
    time_format_local(l->expires_s, text);
    authorized_add_word(out, start, "until %s", text);
}

void authorized_add_words(const struct authorized_line *l, struct buf *out)
{
    const size_t start = out->len;
    if (l->kind != AUTHORIZED_KEY && l->kind != AUTHORIZED_AUTHORITY)
        return;
    bool any_open = authorized_opens_any(l), any_listen = authorized_listens_any(l);
    if (any_open)
        authorized_add_word(out, start, "any -L");
    if (any_listen)
        authorized_add_word(out, start, "any -R");
    if (l->port_forwarding && !any_open)
        add_permits(&l->open, false, out, start);
    if (l->port_forwarding && !any_listen)
        add_permits(&l->listen, true, out, start);
    if (out->len == start)
        authorized_add_word(out, start, "no port");
    if (l->command == NULL)
        authorized_add_word(out, start, "commands");
    if (l->pty)
        authorized_add_word(out, start, "terminals");
    if (l->agent_forwarding)
        authorized_add_word(out, start, "agent forwarding");
    if (l->x11_forwarding)
        authorized_add_word(out, start, "X11");
    if (l->user_rc)
        authorized_add_word(out, start, "user rc");
    if (l->from != NULL)
        authorized_add_word(out, start, "from %s", l->from);
    add_end(l, out, start);
}

bool authorized_comment_has_options(const struct authorized_line *l)
{
    static const char *const options[] = {
        "command=",         "permitopen=",    "permitlisten=",     "from=",
        "expiry-time=",     "principals=",    "environment=",      "tunnel=",
        "no-pty",           "no-user-rc",     "no-x11-forwarding", "port-forwarding",
        "agent-forwarding", "cert-authority", "restrict,"};
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        if (strcasestr(l->comment, options[i]) != NULL)
            return true;
    return strcasecmp(l->comment, "restrict") == 0;
}
