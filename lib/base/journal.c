/* SPDX-License-Identifier: ISC */
#include "lib/base/journal.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"

#include <linux/sockios.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

enum { DATAGRAM_BYTES = 4096 };

/* A field that does not fit is left out. A value is one line, because a line end is escaped. */
static void add_field(char out[static DATAGRAM_BYTES], size_t *len, const char *name,
                      const char *value)
{
    if (value == NULL || value[0] == '\0' || *len + strlen(name) + 3 > DATAGRAM_BYTES)
        return;
    size_t at = *len + (size_t)sprintf(out + *len, "%s=", name);
    at += text_escape(out + at, DATAGRAM_BYTES - at - 1, value);
    out[at++] = '\n';
    *len = at;
}

/*
 * journald takes one datagram after the other, and ignores an empty one. So once it has taken the
 * empty one, it is done with the line before. SIOCOUTQ is what it has not taken yet (unix(7)).
 */
static void wait_until_done(int fd, const struct sockaddr_un *to, int64_t *wait_ms)
{
    const int64_t since_ms = clock_monotonic_ms();
    int left = 1;
    if (*wait_ms <= 0 || sendto(fd, "", 0, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)to,
                                sizeof(*to)) != 0)
        return;
    while (ioctl(fd, SIOCOUTQ, &left) == 0 && left > 0 &&
           clock_monotonic_ms() - since_ms < *wait_ms)
        (void)poll(NULL, 0, 1);
    *wait_ms -= clock_monotonic_ms() - since_ms;
}

bool journal_send(const char *ident, const struct log_event *event, const struct log_field *fields,
                  const char *text, int64_t *wait_ms)
{
    static const struct sockaddr_un to = {.sun_family = AF_UNIX,
                                          .sun_path = "/run/systemd/journal/socket"};
    char out[DATAGRAM_BYTES];
    const char priority[] = {(char)('0' + event->priority), '\0'};
    size_t len = 0;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    add_field(out, &len, "MESSAGE_ID", event->id);
    add_field(out, &len, "PRIORITY", priority);
    add_field(out, &len, "SYSLOG_FACILITY", "10"); /* authpriv */
    add_field(out, &len, "SYSLOG_IDENTIFIER", ident);
    for (; fields != NULL && fields->name != NULL; fields++)
        add_field(out, &len, fields->name, fields->value);
    add_field(out, &len, "MESSAGE", text);
    const bool sent = sendto(fd, out, len, MSG_DONTWAIT | MSG_NOSIGNAL,
                             (const struct sockaddr *)&to, sizeof(to)) == (ssize_t)len;
    if (sent && wait_ms != NULL)
        wait_until_done(fd, &to, wait_ms);
    (void)close(fd);
    return sent;
}
