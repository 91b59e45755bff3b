/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/ssh/message.h"

#include <bsd/string.h>
#include <stddef.h>
#include <string.h>

/* The first row that matches counts. Texts of OpenSSH 8.2 to 10.5, from ssh.c, sshconnect.c,
 * sshconnect2.c, channels.c, clientloop.c, packet.c, kex.c and readconf.c; those of errno are
 * strerror(3)'s. */
static const struct {
    const char *start; /* of the line; NULL: anywhere */
    const char *part;  /* must be in the line */
    enum ssh_message message;
} rows[] = {
    {"Authenticated to ", "", SSH_MESSAGE_AUTHENTICATED},
    {"Permissions ", "are too open", SSH_MESSAGE_KEY_UNUSABLE},
    {"Load key \"", "", SSH_MESSAGE_KEY_UNUSABLE},
    {"SHA256:", "", SSH_MESSAGE_SHOWN_KEY},
    {"Offending ", " key ", SSH_MESSAGE_OFFENDING_KEY},
    {"channel ", "open failed: administratively prohibited", SSH_MESSAGE_FORBIDDEN},
    {"channel ", "open failed: connect failed", SSH_MESSAGE_SERVICE_DOWN},
    {"stdio forwarding failed", "", SSH_MESSAGE_JUMP},
    {NULL, "REMOTE HOST IDENTIFICATION HAS CHANGED", SSH_MESSAGE_HOST_KEY_CHANGED},
    {"Host key for ", "has changed and you have requested strict", SSH_MESSAGE_HOST_KEY_CHANGED},
    {NULL, "is marked as revoked", SSH_MESSAGE_HOST_KEY_CHANGED},
    {"No ", "host key is known for", SSH_MESSAGE_HOST_KEY_UNKNOWN},
    {"Host key verification failed", "", SSH_MESSAGE_HOST_KEY_UNKNOWN},
    {NULL, "Permission denied (", SSH_MESSAGE_AUTH},
    {NULL, "Too many authentication failures", SSH_MESSAGE_AUTH},
    {NULL, "no matching host key type found", SSH_MESSAGE_AUTH},
    {NULL, "no matching key exchange method found", SSH_MESSAGE_AUTH},
    {NULL, "no matching cipher found", SSH_MESSAGE_AUTH},
    {NULL, "no matching MAC found", SSH_MESSAGE_AUTH},
    {"bind [", "Address already in use", SSH_MESSAGE_LOCAL_PORT},
    {"bind [", "Permission denied", SSH_MESSAGE_LOCAL_PORT},
    {"bind [", "Cannot assign requested address", SSH_MESSAGE_LOCAL_PORT},
    {"channel_setup_fwd_listener", "cannot listen to port", SSH_MESSAGE_LOCAL_PORT},
    {NULL, "Could not request local forwarding", SSH_MESSAGE_LOCAL_PORT},
    {NULL, "remote port forwarding failed for listen port", SSH_MESSAGE_REMOTE_PORT},
    {NULL, "Bad configuration option", SSH_MESSAGE_USAGE},
    {NULL, "terminating, ", SSH_MESSAGE_USAGE}, /* N bad configuration options */
    {"unknown option --", "", SSH_MESSAGE_USAGE},
    {"command-line: line 0:", "", SSH_MESSAGE_USAGE},
    {"ssh: Could not resolve hostname", "", SSH_MESSAGE_NO_ADDRESS},
    {"ssh: connect to host", "Connection refused", SSH_MESSAGE_REFUSED},
    {"ssh: connect to host", "Connection timed out", SSH_MESSAGE_TIMEOUT},
    {"ssh: connect to host", "", SSH_MESSAGE_UNREACHABLE},
    {"Connection timed out during banner exchange", "", SSH_MESSAGE_TIMEOUT},
    {NULL, "not responding.", SSH_MESSAGE_TIMEOUT}, /* Timeout, server HOST not responding. */
    {"Connection to ", " timed out", SSH_MESSAGE_TIMEOUT},
    {"kex_exchange_identification: ", "", SSH_MESSAGE_BUSY},
    {"banner exchange: ", "", SSH_MESSAGE_BUSY},
    {"ssh_exchange_identification: ", "", SSH_MESSAGE_BUSY},
    {"Not allowed at this time", "", SSH_MESSAGE_BUSY},
    {"Connection to ", "closed by remote host", SSH_MESSAGE_CLOSED},
    {"Connection closed by ", "", SSH_MESSAGE_CLOSED},
    {"Connection reset by ", "", SSH_MESSAGE_CLOSED},
    {"Received disconnect from ", "", SSH_MESSAGE_CLOSED},
    {"Disconnected from ", "", SSH_MESSAGE_CLOSED},
    {"client_loop: send disconnect", "", SSH_MESSAGE_CLOSED},
    {"Read from remote host ", "", SSH_MESSAGE_CLOSED},
    {"Connection reset", "", SSH_MESSAGE_CLOSED},
};

enum ssh_message sshmessage_parse(const char *line)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].start != NULL && strncmp(line, rows[i].start, strlen(rows[i].start)) != 0)
            continue;
        if (strstr(line, rows[i].part) != NULL)
            return rows[i].message;
    }
    return SSH_MESSAGE_UNKNOWN;
}

const char *sshmessage_last_line(char *text)
{
    const char *last = "";
    for (char *line; (line = strsep(&text, "\r\n")) != NULL;)
        if (*line != '\0')
            last = line;
    return last;
}
