/* SPDX-License-Identifier: ISC */
/*
 * What the lines mean that ssh(1) prints on its standard error. ssh exits with 255 for everything,
 * so only its messages tell what happened (docs/sshd-facts.md 16). Pure.
 */
#ifndef TUNLEASE_AGENT_SSH_MESSAGE_H
#define TUNLEASE_AGENT_SSH_MESSAGE_H

/* Ordered: of all messages of one run, the largest tells why it ended. */
enum ssh_message {
    SSH_MESSAGE_UNKNOWN, /* a line that we do not know */
    SSH_MESSAGE_AUTHENTICATED,
    SSH_MESSAGE_KEY_UNUSABLE,  /* a private key file that ssh cannot use; it goes on without it */
    SSH_MESSAGE_SHOWN_KEY,     /* the fingerprint of a host key that is not the known one */
    SSH_MESSAGE_OFFENDING_KEY, /* FILE:LINE of the known one */
    SSH_MESSAGE_SERVICE_DOWN,  /* the far side could not reach the forward's target */
    SSH_MESSAGE_FORBIDDEN,     /* the far side's sshd does not allow this forward */
    SSH_MESSAGE_CLOSED,        /* the far side ended the connection */
    SSH_MESSAGE_BUSY,          /* closed before the login: MaxStartups, a penalty, no sshd there */
    SSH_MESSAGE_TIMEOUT,
    SSH_MESSAGE_UNREACHABLE,
    SSH_MESSAGE_NO_ADDRESS,  /* the name does not resolve */
    SSH_MESSAGE_REFUSED,     /* nothing listens there */
    SSH_MESSAGE_JUMP,        /* the jump host did not connect us to the next host */
    SSH_MESSAGE_LOCAL_PORT,  /* a local port of a forward is taken */
    SSH_MESSAGE_REMOTE_PORT, /* the far sshd could not listen for -R */
    SSH_MESSAGE_AUTH,        /* the login was refused, or the two have no algorithm in common */
    SSH_MESSAGE_HOST_KEY_UNKNOWN,
    SSH_MESSAGE_HOST_KEY_CHANGED,
    SSH_MESSAGE_USAGE, /* an error in its command line or configuration */
};

/* What one line means, without its line end. */
enum ssh_message sshmessage_parse(const char *line);

/* The last line of text that is not empty, "" if there is none. Writes NULs into text. */
const char *sshmessage_last_line(char *text);

#endif
