/* SPDX-License-Identifier: ISC */
#include "lib/lease/authorized/permits.h"

#include "lib/base/array.h"

#include <bsd/stdlib.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A port as sshd reads it: also with blanks, a sign or zeros before it, or a service's name. 0: it
 * is none, or the port 0. */
static uint16_t parse_port(const char *s)
{
    const char *problem = NULL;
    long long port = strtonum(s, 0, UINT16_MAX, &problem);
    if (problem == NULL)
        return (uint16_t)port;
    const struct servent *service = getservbyname(s, "tcp");
    return service == NULL ? 0 : ntohs((uint16_t)service->s_port);
}

/* Where the host of value ends and its port begins: `:`, or `/`, which sshd takes too. NULL: there
 * is none. */
static const char *find_port(const char *value)
{
    if (value[0] != '[')
        return strpbrk(value, ":/");
    const char *end = strchr(value, ']');
    return end != NULL && (end[1] == ':' || end[1] == '/') ? end + 1 : NULL;
}

/* NULL and *ret, without its host, which is the *ret_host_bytes at *ret_host. */
static const char *parse(const char *value, bool listen, struct authorized_permit *ret,
                         const char **ret_host, size_t *ret_host_bytes)
{
    bool bare = listen && strchr(value, ':') == NULL;
    const char *host = bare ? "*" : value; /* sshd puts `*:` before a port alone */
    const char *end = bare ? host + 1 : find_port(value);
    if (end == NULL)
        return "it is no HOST:PORT";
    const char *port_text = bare ? value : end + 1;
    size_t host_bytes = (size_t)(end - host);
    if (host_bytes >= NI_MAXHOST)
        return "its host is longer than any name";
    bool any = strcmp(port_text, "*") == 0;
    uint16_t port = any ? 0 : parse_port(port_text);
    if (!any && port == 0)
        return "its port is neither a number from 1 to 65535 nor '*'";
    if (host[0] == '[') {
        host++;
        host_bytes -= 2;
    }
    *ret = (struct authorized_permit){.port = port, .bare = bare};
    *ret_host = host;
    *ret_host_bytes = host_bytes;
    return NULL;
}

enum authorized_permit_rc authorized_permits_add(struct authorized_permits *permits,
                                                 const char *value, bool listen,
                                                 const char **ret_why)
{
    const char *host = NULL;
    size_t host_bytes = 0;
    struct authorized_permit p;
    if (permits->count >= AUTHORIZED_PERMITS_MAX) {
        *ret_why = "it is one more than the 4097 that sshd takes";
        return AUTHORIZED_PERMIT_REFUSED;
    }
    *ret_why = parse(value, listen, &p, &host, &host_bytes);
    if (*ret_why != NULL)
        return AUTHORIZED_PERMIT_REFUSED;
    struct authorized_permit *items = array_grow(permits->items, permits->count, &permits->room,
                                                 sizeof(p), AUTHORIZED_PERMITS_MAX);
    if (items == NULL)
        return AUTHORIZED_PERMIT_MEMORY;
    permits->items = items;
    p.host = strndup(host, host_bytes);
    p.text = strdup(value);
    if (p.host == NULL || p.text == NULL) {
        free(p.host);
        free(p.text);
        return AUTHORIZED_PERMIT_MEMORY;
    }
    permits->items[permits->count++] = p;
    return AUTHORIZED_PERMIT_OK;
}

void authorized_permits_release(struct authorized_permits *permits)
{
    for (size_t i = 0; i < permits->count; i++) {
        free(permits->items[i].host);
        free(permits->items[i].text);
    }
    free(permits->items);
    *permits = (struct authorized_permits){.items = NULL};
}
