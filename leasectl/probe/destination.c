/* SPDX-License-Identifier: ISC */
#include "leasectl/probe/destination.h"

#include "leasectl/host/listening.h"
#include "leasectl/host/sshd_settings.h"
#include "lib/base/buf.h"
#include "lib/base/text.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* An address of another host cannot be bound. */
static bool is_of_this_host(const struct addrinfo *a)
{
    int fd = socket(a->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const bool is = fd >= 0 && bind(fd, a->ai_addr, a->ai_addrlen) == 0;
    if (fd >= 0)
        (void)close(fd);
    return is;
}

/* Sets the address from which the kernel connects there: mostly the same one, but 127.0.0.1 for all
 * of 127.0.0.0/8. Sends nothing. */
static void find_from(const struct addrinfo *a, struct destination *ret)
{
    struct sockaddr_storage to = {0}, from;
    socklen_t len = sizeof(from);
    int fd = socket(a->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    memcpy(&to, a->ai_addr, a->ai_addrlen);
    /* Any port will do, but not 0; it stands at the same place for both families. */
    ((struct sockaddr_in *)(void *)&to)->sin_port = htons(1);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&to, a->ai_addrlen) != 0 ||
        getsockname(fd, (struct sockaddr *)&from, &len) != 0 ||
        getnameinfo((const struct sockaddr *)&from, len, ret->from, sizeof(ret->from), NULL, 0,
                    NI_NUMERICHOST) != 0)
        ret->from[0] = '\0';
    if (fd >= 0)
        (void)close(fd);
}

/* The first address of a name, IPv4 if it has one. */
static int look_up(struct ctl *ctl, const char *name, struct destination *ret)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *all = NULL;
    int code = EXIT_DONE;
    int rc = getaddrinfo(name, NULL, &hints, &all);
    const struct addrinfo *a = all;
    for (const struct addrinfo *i = all; rc == 0 && i != NULL; i = i->ai_next)
        if (i->ai_family == AF_INET && a->ai_family != AF_INET)
            a = i;
    if (rc == 0)
        rc = getnameinfo(a->ai_addr, a->ai_addrlen, ret->host, sizeof(ret->host), NULL, 0,
                         NI_NUMERICHOST);
    if (rc != 0)
        code = ctl_error(ctl, EXIT_FAILED, "cannot find the host '%s': %s", text_clip(name).s,
                         gai_strerror(rc));
    else if (is_of_this_host(a))
        find_from(a, ret);
    if (all != NULL)
        freeaddrinfo(all);
    return code;
}

/* The IPv4 address at which it listens on its port, if it does: a lease then sees its client at
 * 127.0.0.1 or the like, as from elsewhere. */
static void prefer_ipv4(struct sshd *s)
{
    struct listening_sockets sockets;
    char pid[16];
    listening_sockets_on_port(s->port, &sockets);
    size_t kept = 0;
    for (size_t i = 0; i < sockets.count; i++)
        if (strchr(sockets.items[i].host, ':') == NULL)
            sockets.items[kept++] = sockets.items[i];
    sockets.count = kept;
    (void)snprintf(pid, sizeof(pid), "%d", (int)s->listener);
    const struct listening_socket *l =
        s->listener != 0 ? listening_socket_of_process(pid, &sockets) : NULL;
    if (l != NULL)
        (void)strlcpy(s->host, l->host, sizeof(s->host));
}

/* Where the sshd that was found listens. */
static int default_address(struct ctl *ctl, uint16_t port, struct destination *d)
{
    struct buf why = {0};
    int code = EXIT_DONE;
    const bool by_its_socket = d->sshd.host[0] != '\0' && (port != 0 || d->sshd.by_systemd);
    if (by_its_socket && (port == 0 || d->sshd.port == port)) {
        prefer_ipv4(&d->sshd);
        (void)strlcpy(d->host, d->sshd.host, sizeof(d->host));
        d->port = d->sshd.port;
    } else if (port != 0) { /* nothing listens there; ssh will say so */
        (void)strlcpy(d->host, "127.0.0.1", sizeof(d->host));
    } else if (sshd_address(&d->sshd, d->host, &d->port, &why) != 0) {
        code = ctl_error(ctl, EXIT_FAILED, "%s", buf_text_or(&why, ""));
    }
    buf_release(&why);
    return code;
}

int destination_find(struct ctl *ctl, const char *host, uint16_t port, struct destination *ret)
{
    struct destination d = {.port = 0};
    struct buf why = {0};
    int code = EXIT_DONE;
    if ((port != 0 ? sshd_find_on_port(&ctl->conf, port, &d.sshd, &why)
                   : sshd_find(&ctl->conf, &d.sshd, &why)) != 0)
        code = ctl_error(ctl, EXIT_FAILED, "%s", buf_text_or(&why, ""));
    buf_release(&why);
    if (code == EXIT_DONE)
        code = default_address(ctl, port, &d);
    if (code == EXIT_DONE) {
        char name[DESTINATION_HOST_BYTES];
        (void)strlcpy(name, d.host, sizeof(name));
        code = look_up(ctl, host != NULL ? host : name, &d);
    }
    if (code != EXIT_DONE)
        return code;
    if (port != 0)
        d.port = port;
    /* sshd is asked for its settings at this end of the connection (Match LocalPort). */
    d.sshd.port = d.port;
    (void)snprintf(d.sshd.host, sizeof(d.sshd.host), "%.*s", (int)strcspn(d.host, "%"), d.host);
    if (d.from[0] != '\0' && strchr(d.from, ':') == NULL)
        (void)snprintf(d.source, sizeof(d.source), "127.%u.%u.%u", 1 + arc4random_uniform(254),
                       arc4random_uniform(256), 1 + arc4random_uniform(254));
    *ret = d;
    return EXIT_DONE;
}

void destination_sources(const struct destination *d, struct source_list *ret)
{
    char text[DESTINATION_HOST_BYTES + DESTINATION_SOURCE_BYTES + 2];
    *ret = (struct source_list){.count = 0};
    if (d->from[0] == '\0' || strchr(d->from, '%') != NULL)
        return;
    (void)snprintf(text, sizeof(text), "%s%s%s", d->from, d->source[0] != '\0' ? "," : "",
                   d->source);
    if (source_list_parse(text, ret) != NULL)
        *ret = (struct source_list){.count = 0};
}
