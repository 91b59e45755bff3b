/* SPDX-License-Identifier: ISC */
#include "leasectl/probe/tunnel.h"

#include "lib/base/clock.h"

#include <stdio.h>
#include <string.h>

int tunnel_open(const struct attempt_target *t, struct child *c)
{
    char known_hosts[160], port[8];
    const char *argv[40];
    const bool has_source = t->source != NULL && t->source[0] != '\0';
    size_t n = 0;
    (void)snprintf(known_hosts, sizeof(known_hosts), "UserKnownHostsFile=%s", t->known_hosts);
    (void)snprintf(port, sizeof(port), "%u", t->port);
    const char *const words[] = {"ssh", "-v",
                                 "-N",  "-T",
                                 "-F",  "none",
                                 "-o",  "BatchMode=yes",
                                 "-o",  "IdentitiesOnly=yes",
                                 "-o",  "IdentityAgent=none",
                                 "-o",  "StrictHostKeyChecking=yes",
                                 "-o",  known_hosts,
                                 "-o",  "GlobalKnownHostsFile=none",
                                 "-o",  "ConnectTimeout=5",
                                 "-i",  t->key_file,
                                 "-p",  port,
                                 "-l",  t->login};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        argv[n++] = words[i];
    if (has_source) {
        argv[n++] = "-b";
        argv[n++] = t->source;
    }
    argv[n++] = t->host;
    argv[n] = NULL;
    if (child_start(c, argv, NULL) != 0)
        return -1;
    child_close_input(c);
    int64_t end_ms = clock_monotonic_ms() + TUNNEL_MS;
    while (!child_pump(c, 20) && clock_monotonic_ms() < end_ms) {
        const char *said = buf_text(&c->err_text);
        if (said != NULL && strstr(said, "Entering interactive session") != NULL)
            return 0;
    }
    return -1;
}

enum sight tunnel_is_refused(const struct attempt_target *t,
                             char evidence[static ATTEMPT_EVIDENCE_BYTES])
{
    struct child c;
    bool logged_in = tunnel_open(t, &c) == 0;
    child_stop(&c);
    const char *said = buf_text(&c.err_text);
    const char *denied = said != NULL ? strstr(said, "Permission denied") : NULL;
    (void)snprintf(evidence, ATTEMPT_EVIDENCE_BYTES, "%.*s",
                   denied != NULL ? (int)strcspn(denied, "\r\n") : 80,
                   logged_in        ? "the key was let in"
                   : denied != NULL ? denied
                                    : "no clear answer from sshd");
    child_release(&c);
    return logged_in ? SIGHT_IS_NOT : denied != NULL ? SIGHT_IS : SIGHT_CANNOT_TELL;
}
