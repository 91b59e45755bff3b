/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/gateway/url.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <ctype.h>
#include <string.h>

const char *url_parse(const char *text, struct url *ret)
{
    struct url url = {.tls = strncmp(text, "https://", 8) == 0};
    const char *p = text + (url.tls ? 8 : 7), *end, *problem = NULL;
    size_t len;
    if (!url.tls && strncmp(text, "http://", 7) != 0)
        return "starts with neither http:// nor https://";
    for (const char *c = text; *c != '\0'; c++)
        if (!isgraph((unsigned char)*c) || strchr("@?#\"<>\\^`{|}", *c) != NULL)
            return "holds a character that has no place in it";
    if (*p == '[') {
        end = strchr(++p, ']');
        if (end == NULL)
            return "has a bracket that is not closed";
        len = (size_t)(end - p);
        end++;
    } else {
        len = strcspn(p, ":/");
        end = p + len;
    }
    if (len == 0 || len >= sizeof(url.host))
        return "names no host";
    memcpy(url.host, p, len);
    for (const char *c = url.host; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c) && strchr(".-_:%", *c) == NULL)
            return "names no host";
    url.port = url.tls ? 443 : 80;
    if (*end == ':') {
        char port[8];
        len = strcspn(++end, "/");
        if (len == 0 || len >= sizeof(port) || !isdigit((unsigned char)*end))
            return "has a port that is not 1-65535";
        memcpy(port, end, len);
        port[len] = '\0';
        url.port = (uint16_t)strtonum(port, 1, 65535, &problem);
        if (problem != NULL)
            return "has a port that is not 1-65535";
        end += len;
    }
    if (*end != '\0' && *end != '/')
        return "has something behind its port";
    if (strlcpy(url.path, *end != '\0' ? end : "/", sizeof(url.path)) >= sizeof(url.path))
        return "has too long a path";
    *ret = url;
    return NULL;
}

bool url_is_loopback(const struct url *url)
{
    /* Addresses, and "localhost": a resolver could map that elsewhere, but everybody means
     * loopback. */
    return strcmp(url->host, "localhost") == 0 || strcmp(url->host, "::1") == 0 ||
           (strncmp(url->host, "127.", 4) == 0 &&
            url->host[strspn(url->host, "0123456789.")] == '\0');
}
