/* SPDX-License-Identifier: ISC */
/*
 * What ssh(1) says on its standard error, and what that means. Its exit status is 255 for
 * everything, so its words are all there is (docs/sshd-facts.md 16). Pure.
 */
#ifndef TUNLEASE_AGENT_SSH_MESSAGE_H
#define TUNLEASE_AGENT_SSH_MESSAGE_H

/* Ordered: of several lines of one run, the largest tells why it ended. */
enum ssh_message {
    SSH_MESSAGE_UNKNOWN, /* nothing that we know */
    SSH_MESSAGE_AUTHENTICATED,
    SSH_MESSAGE_SERVICE_DOWN, /* the far side could not reach the forward's target */
    SSH_MESSAGE_FORBIDDEN,    /* the far side's sshd does not allow this forward */
    SSH_MESSAGE_CLOSED,       /* the far side ended the connection */
    SSH_MESSAGE_BUSY, /* it hung up before the login: MaxStartups, a penalty, no sshd behind */
    SSH_MESSAGE_TIMEOUT,
    SSH_MESSAGE_UNREACHABLE,
    SSH_MESSAGE_NO_ADDRESS, /* the name does not resolve */
    SSH_MESSAGE_REFUSED,    /* nothing listens there */
    SSH_MESSAGE_JUMP,       /* the jump host would not carry us on */
    SSH_MESSAGE_LOCAL_PORT, /* a local port of ours is taken */
    SSH_MESSAGE_REMOTE_PORT,
    SSH_MESSAGE_AUTH,
    SSH_MESSAGE_HOST_KEY_UNKNOWN,
    SSH_MESSAGE_HOST_KEY_CHANGED,
    SSH_MESSAGE_USAGE, /* it does not understand its own command line or configuration */
};

enum ssh_message sshmessage_parse(const char *line);

/* The last line of text that is not empty, "" if there is none. Writes NULs into text. */
const char *sshmessage_last_line(char *text);

#endif
