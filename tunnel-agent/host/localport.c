/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/host/localport.h"

#include "tunnel-agent/host/port_holder.h"

#include <bsd/string.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const char unseen_holder[] = "by another program";

int localport_address(const char *bind, uint16_t port, bool to_connect,
                      struct sockaddr_storage *ret, socklen_t *ret_len)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    char service[8];
    const char *host = bind;
    if (strcmp(bind, "*") == 0 || strcmp(bind, "0.0.0.0") == 0)
        host = to_connect ? "127.0.0.1" : "0.0.0.0";
    else if (strcmp(bind, "::") == 0 && to_connect)
        host = "::1";
    else if (strcasecmp(bind, "localhost") == 0)
        host = "127.0.0.1"; /* a lookup could block */
    (void)snprintf(service, sizeof(service), "%u", port);
    if (getaddrinfo(host, service, &hints, &list) != 0)
        return -1;
    memcpy(ret, list->ai_addr, list->ai_addrlen);
    *ret_len = list->ai_addrlen;
    freeaddrinfo(list);
    return 0;
}

bool localport_is_free(const char *bind_to, uint16_t port, char *holder, size_t holder_size)
{
    struct sockaddr_storage address;
    socklen_t len;
    const int on = 1;
    int fd, error = 0;
    holder[0] = '\0';
    if (localport_address(bind_to, port, false, &address, &len) != 0)
        return true; /* a name: ssh looks it up itself */
    fd = socket(address.ss_family, SOCK_STREAM, 0);
    if (fd < 0)
        return true;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)); /* as ssh does */
    if (bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, 1) != 0)
        error = errno;
    (void)close(fd);
    if (error == 0)
        return true;
    if (error == EADDRINUSE)
        port_holder_describe(port, holder, holder_size);
    if (holder[0] == '\0')
        (void)strlcpy(holder, error == EADDRINUSE ? unseen_holder : strerror(error), holder_size);
    return false;
}

void localport_explain(const char *bind_to, uint16_t port, const char *holder, char *out,
                       size_t size)
{
    if (strcmp(holder, strerror(EACCES)) == 0)
        (void)snprintf(
            out, size,
            "local port %u is not ours to take (%s): ports below 1024 are root's, so use "
            "a higher one, such as -L %u:HOST:HOSTPORT",
            port, holder, 8000U + port % 1000U);
    else if (strcmp(holder, strerror(EADDRNOTAVAIL)) == 0)
        (void)snprintf(out, size,
                       "local port %u cannot be taken at %.64s (%s): 'ip address' shows the "
                       "addresses of this host",
                       port, bind_to, holder);
    else if (strcmp(holder, unseen_holder) == 0)
        (void)snprintf(out, size,
                       "local port %u is taken (%s, of another user): 'sudo ss -ltnp sport = :%u' "
                       "shows which. It is forwarded once it is free",
                       port, holder, port);
    else
        (void)snprintf(out, size,
                       "local port %u is taken (%s). It is forwarded once that program ends; or "
                       "use another one",
                       port, holder);
}
