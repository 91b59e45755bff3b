/* SPDX-License-Identifier: ISC */
#include "leased/http/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static struct ucred user_of_peer(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0
               ? peer
               : (struct ucred){.uid = (uid_t)-1};
}

void client_set_from_peer(struct client *c, int fd, const struct sockaddr_storage *peer)
{
    const struct sockaddr_in *v4 = (const void *)peer;
    const struct sockaddr_in6 *v6 = (const void *)peer;
    c->address[0] = '\0';
    c->port = peer->ss_family == AF_INET    ? ntohs(v4->sin_port)
              : peer->ss_family == AF_INET6 ? ntohs(v6->sin6_port)
                                            : 0;
    const struct ucred user = peer->ss_family == AF_UNIX ? user_of_peer(fd) : (struct ucred){0};
    c->uid = user.uid;
    c->pid = user.pid;
    if (peer->ss_family == AF_INET)
        (void)inet_ntop(AF_INET, &v4->sin_addr, c->address, CONTROL_ADDRESS_BYTES);
    else if (peer->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
        (void)inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, c->address, CONTROL_ADDRESS_BYTES);
    else if (peer->ss_family == AF_INET6)
        (void)inet_ntop(AF_INET6, &v6->sin6_addr, c->address, CONTROL_ADDRESS_BYTES);
}

/* Parses an address with nothing around it, and writes it as inet_ntop(3) does. */
static bool parse_address(struct http_slice t, char out[static CONTROL_ADDRESS_BYTES])
{
    char text[CONTROL_ADDRESS_BYTES];
    struct in6_addr v6;
    struct in_addr v4;
    if (t.len == 0 || t.len >= sizeof(text))
        return false;
    memcpy(text, t.at, t.len);
    text[t.len] = '\0';
    if (strlen(text) != t.len)
        return false;
    if (inet_pton(AF_INET, text, &v4) == 1)
        return inet_ntop(AF_INET, &v4, out, CONTROL_ADDRESS_BYTES) != NULL;
    if (inet_pton(AF_INET6, text, &v6) != 1)
        return false;
    return (IN6_IS_ADDR_V4MAPPED(&v6)
                ? inet_ntop(AF_INET, v6.s6_addr + 12, out, CONTROL_ADDRESS_BYTES)
                : inet_ntop(AF_INET6, &v6, out, CONTROL_ADDRESS_BYTES)) != NULL;
}

/* The proxy adds the address of who connected to it at the end. That client can have written
 * everything before it. */
static struct http_slice last_item(struct http_slice list)
{
    const char *comma = memrchr(list.at, ',', list.len);
    if (comma != NULL) {
        list.len -= (size_t)(comma + 1 - list.at);
        list.at = comma + 1;
    }
    while (list.len > 0 && (list.at[0] == ' ' || list.at[0] == '\t')) {
        list.at++;
        list.len--;
    }
    return list;
}

bool client_set_from_proxy(struct client *c, const struct http_head *head)
{
    c->address[0] = '\0';
    if (c->proxy == PROXY_HEADER_REAL_IP)
        return !head->real_ip_twice && parse_address(head->real_ip, c->address);
    return head->forwarded_for.len > 0 && parse_address(last_item(head->forwarded_for), c->address);
}
