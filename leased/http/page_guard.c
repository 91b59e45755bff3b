/* SPDX-License-Identifier: ISC */
#include "leased/http/page_guard.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum { HOST_BYTES = 256 };

static bool is_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits > 0 && digits <= 5 && text[digits] == '\0';
}

/* Splits off `:PORT` and the brackets of an IPv6 address. False: neither a name nor an address. */
static bool cut_host(struct http_slice host, char out[static HOST_BYTES], bool *ret_v6)
{
    if (host.len == 0 || host.len >= HOST_BYTES || memchr(host.at, '\0', host.len) != NULL)
        return false;
    memcpy(out, host.at, host.len);
    out[host.len] = '\0';
    *ret_v6 = out[0] == '[';
    char *end = *ret_v6 ? strchr(out, ']') : strchr(out, ':');
    if (*ret_v6) {
        if (end == NULL)
            return false;
        *end++ = '\0';
        memmove(out, out + 1, strlen(out)); /* with its NUL; end stays where it is */
        return *end == '\0' || (*end == ':' && is_port(end + 1));
    }
    if (end == NULL)
        return true;
    *end = '\0';
    return is_port(end + 1);
}

static bool is_ours(struct http_slice host, const char *public_host)
{
    char name[HOST_BYTES];
    unsigned char binary[sizeof(struct in6_addr)];
    bool v6;
    if (!cut_host(host, name, &v6))
        return false;
    if (v6)
        return inet_pton(AF_INET6, name, binary) == 1;
    return inet_pton(AF_INET, name, binary) == 1 || strcasecmp(name, "localhost") == 0 ||
           (public_host[0] != '\0' && strcasecmp(name, public_host) == 0);
}

const char *page_guard_problem(const struct http_head *head, const char *public_host)
{
    if (!is_ours(head->host, public_host))
        return "Host is neither an IP address nor localhost nor PublicHost: a foreign name that "
               "points here is not answered";
    if (head->is_foreign_fetch)
        return "a page of another site made this request (Sec-Fetch-Site): open the page itself, "
               "by typing its address";
    return NULL;
}
