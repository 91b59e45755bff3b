/* SPDX-License-Identifier: ISC */
#include "lib/lease/authorized/allows.h"

#include "lib/base/pattern.h"
#include "lib/base/text.h"

#include <netdb.h>
#include <string.h>
#include <strings.h>

static bool port_matches(const struct authorized_permit *p, unsigned port)
{
    return p->port == 0 || p->port == port;
}

bool authorized_allows_open(const struct authorized_line *l, const char *host, unsigned port)
{
    const struct authorized_permits *open = &l->open;
    if (l->kind != AUTHORIZED_KEY && l->kind != AUTHORIZED_AUTHORITY)
        return false;
    for (size_t i = 0; i < open->count; i++) {
        const struct authorized_permit *p = &open->items[i];
        if (port_matches(p, port) && (strcmp(p->host, "*") == 0 || strcmp(p->host, host) == 0))
            return l->port_forwarding;
    }
    return l->port_forwarding && open->count == 0;
}

bool authorized_allows_listen(const struct authorized_line *l, const char *host, unsigned port)
{
    const struct authorized_permits *listen = &l->listen;
    char lower[NI_MAXHOST];
    size_t len = strlen(host);
    if ((l->kind != AUTHORIZED_KEY && l->kind != AUTHORIZED_AUTHORITY) || len >= sizeof(lower))
        return false;
    for (size_t i = 0; i <= len; i++)
        lower[i] = text_lower(host[i]);
    for (size_t i = 0; i < listen->count; i++)
        if (port_matches(&listen->items[i], port) && pattern_matches(lower, listen->items[i].host))
            return l->port_forwarding;
    return l->port_forwarding && listen->count == 0;
}

static bool names_any(const struct authorized_line *l, const struct authorized_permits *permits)
{
    bool any = permits->count == 0;
    for (size_t i = 0; i < permits->count; i++)
        any = any || (permits->items[i].port == 0 && strcmp(permits->items[i].host, "*") == 0);
    return l->port_forwarding && any;
}

bool authorized_opens_any(const struct authorized_line *l)
{
    return names_any(l, &l->open);
}

bool authorized_listens_any(const struct authorized_line *l)
{
    return names_any(l, &l->listen);
}

bool authorized_permit_is_void(const struct authorized_permit *p, bool listen)
{
    if (!listen)
        return strcmp(p->host, "*") != 0 && strpbrk(p->host, "*?") != NULL;
    for (const char *s = p->host; *s != '\0'; s++)
        if (text_lower(*s) != *s)
            return true;
    return false;
}

bool authorized_permit_is_sentinel(const struct authorized_permit *p, bool listen)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost", "::1", "255.255.255.255"};
    if (p->port == 1)
        for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
            if (strcmp(p->host, hosts[i]) == 0)
                return true;
    return p->port == 1 && (strcasecmp(p->host, "none") == 0) &&
           (!listen || authorized_permit_is_void(p, true));
}

bool authorized_line_is_over(const struct authorized_line *l, int64_t now_s)
{
    return l->expires_text != NULL && l->expires_s < now_s;
}
