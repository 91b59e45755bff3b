/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/ssh/words.h"

#include <bsd/string.h>
#include <stddef.h>
#include <string.h>

/* First match wins. The words are those of OpenSSH 8.2 to 10.5: ssh.c, sshconnect.c, sshconnect2.c,
 * channels.c, clientloop.c, packet.c, kex.c, readconf.c; the C library's come from strerror(3). */
static const struct {
    const char *start; /* of the line; NULL: anywhere */
    const char *part;  /* must be in the line */
    enum ssh_said said;
} rows[] = {
    {"Authenticated to ", "", SSH_SAID_AUTHENTICATED},
    {"channel ", "open failed: administratively prohibited", SSH_SAID_FORBIDDEN},
    {"channel ", "open failed: connect failed", SSH_SAID_SERVICE_DOWN},
    {"stdio forwarding failed", "", SSH_SAID_JUMP},
    {NULL, "REMOTE HOST IDENTIFICATION HAS CHANGED", SSH_SAID_HOST_KEY_CHANGED},
    {"Host key for ", "has changed and you have requested strict", SSH_SAID_HOST_KEY_CHANGED},
    {NULL, "is marked as revoked", SSH_SAID_HOST_KEY_CHANGED},
    {"No ", "host key is known for", SSH_SAID_HOST_KEY_UNKNOWN},
    {"Host key verification failed", "", SSH_SAID_HOST_KEY_UNKNOWN},
    {NULL, "Permission denied (", SSH_SAID_AUTH},
    {NULL, "Too many authentication failures", SSH_SAID_AUTH},
    {NULL, "no matching host key type found", SSH_SAID_AUTH},
    {NULL, "no matching key exchange method found", SSH_SAID_AUTH},
    {"bind [", "Address already in use", SSH_SAID_LOCAL_PORT},
    {"bind [", "Permission denied", SSH_SAID_LOCAL_PORT},
    {"channel_setup_fwd_listener", "cannot listen to port", SSH_SAID_LOCAL_PORT},
    {NULL, "Could not request local forwarding", SSH_SAID_LOCAL_PORT},
    {NULL, "remote port forwarding failed for listen port", SSH_SAID_REMOTE_PORT},
    {NULL, "Bad configuration option", SSH_SAID_USAGE},
    {NULL, "terminating, ", SSH_SAID_USAGE}, /* N bad configuration options */
    {"unknown option --", "", SSH_SAID_USAGE},
    {"command-line: line 0:", "", SSH_SAID_USAGE},
    {"ssh: Could not resolve hostname", "", SSH_SAID_NO_ADDRESS},
    {"ssh: connect to host", "Connection refused", SSH_SAID_REFUSED},
    {"ssh: connect to host", "Connection timed out", SSH_SAID_TIMEOUT},
    {"ssh: connect to host", "", SSH_SAID_UNREACHABLE},
    {"Connection timed out during banner exchange", "", SSH_SAID_TIMEOUT},
    {NULL, "not responding.", SSH_SAID_TIMEOUT}, /* Timeout, server HOST not responding. */
    {"Connection to ", " timed out", SSH_SAID_TIMEOUT},
    {"kex_exchange_identification: ", "", SSH_SAID_BUSY},
    {"banner exchange: ", "", SSH_SAID_BUSY},
    {"ssh_exchange_identification: ", "", SSH_SAID_BUSY},
    {"Not allowed at this time", "", SSH_SAID_BUSY},
    {"Connection to ", "closed by remote host", SSH_SAID_CLOSED},
    {"Connection closed by ", "", SSH_SAID_CLOSED},
    {"Connection reset by ", "", SSH_SAID_CLOSED},
    {"Received disconnect from ", "", SSH_SAID_CLOSED},
    {"Disconnected from ", "", SSH_SAID_CLOSED},
    {"client_loop: send disconnect", "", SSH_SAID_CLOSED},
    {"Read from remote host ", "", SSH_SAID_CLOSED},
    {"Connection reset", "", SSH_SAID_CLOSED},
};

enum ssh_said sshwords_of(const char *line)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].start != NULL && strncmp(line, rows[i].start, strlen(rows[i].start)) != 0)
            continue;
        if (strstr(line, rows[i].part) != NULL)
            return rows[i].said;
    }
    return SSH_SAID_NOTHING;
}

const char *sshwords_last_line(char *text)
{
    const char *last = "";
    for (char *line; (line = strsep(&text, "\r\n")) != NULL;)
        if (*line != '\0')
            last = line;
    return last;
}
