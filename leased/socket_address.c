/* SPDX-License-Identifier: ISC */
#include "leased/socket_address.h"

#include "lib/conf/conf.h"

#include <arpa/inet.h>
#include <bsd/string.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

socklen_t socket_address_fill(const struct conf_listener *l, struct sockaddr_storage *out)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    struct sockaddr_un *un = (struct sockaddr_un *)out;
    memset(out, 0, sizeof(*out));
    if (l->unix_path[0] != '\0') {
        un->sun_family = AF_UNIX;
        if (strlcpy(un->sun_path, l->unix_path, sizeof(un->sun_path)) >= sizeof(un->sun_path))
            return 0;
        return sizeof(*un);
    }
    if (inet_pton(AF_INET, l->address.host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(l->address.low);
        return sizeof(*v4);
    }
    if (inet_pton(AF_INET6, l->address.host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(l->address.low);
        return sizeof(*v6);
    }
    return 0;
}

bool socket_address_same(const struct sockaddr_storage *have, const struct sockaddr_storage *want,
                         socklen_t want_len)
{
    if (want_len == 0 || want->ss_family != have->ss_family)
        return false;
    return have->ss_family == AF_UNIX ? strcmp(((const struct sockaddr_un *)have)->sun_path,
                                               ((const struct sockaddr_un *)want)->sun_path) == 0
                                      : memcmp(have, want, want_len) == 0;
}

void socket_address_describe(const struct sockaddr_storage *have, char *out, size_t out_bytes)
{
    const struct sockaddr_in *v4 = (const void *)have;
    const struct sockaddr_in6 *v6 = (const void *)have;
    const struct sockaddr_un *un = (const void *)have;
    char host[INET6_ADDRSTRLEN] = "?";
    if (have->ss_family == AF_INET && inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host)) != NULL)
        (void)snprintf(out, out_bytes, "%s:%u", host, ntohs(v4->sin_port));
    else if (have->ss_family == AF_INET6 &&
             inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host)) != NULL)
        (void)snprintf(out, out_bytes, "[%s]:%u", host, ntohs(v6->sin6_port));
    else if (have->ss_family == AF_UNIX)
        (void)snprintf(out, out_bytes, "unix:%s", un->sun_path);
    else
        (void)snprintf(out, out_bytes, "of address family %u", have->ss_family);
}
