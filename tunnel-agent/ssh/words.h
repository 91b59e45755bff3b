/* SPDX-License-Identifier: ISC */
/*
 * What ssh(1) says on its standard error, and what that means. Its exit status is 255 for
 * everything, so its words are all there is (facts/ecosystem.md 7). Pure.
 */
#ifndef TUNLEASE_AGENT_SSH_WORDS_H
#define TUNLEASE_AGENT_SSH_WORDS_H

/* Ordered: of several lines of one run, the largest tells why it ended. */
enum ssh_said {
    SSH_SAID_NOTHING, /* nothing that we know */
    SSH_SAID_AUTHENTICATED,
    SSH_SAID_SERVICE_DOWN, /* the far side could not reach the forward's target */
    SSH_SAID_FORBIDDEN,    /* the far side's sshd does not allow this forward */
    SSH_SAID_CLOSED,       /* the far side ended the connection */
    SSH_SAID_BUSY,         /* it hung up before the login: MaxStartups, a penalty, no sshd behind */
    SSH_SAID_TIMEOUT,
    SSH_SAID_UNREACHABLE,
    SSH_SAID_NO_ADDRESS, /* the name does not resolve */
    SSH_SAID_REFUSED,    /* nothing listens there */
    SSH_SAID_JUMP,       /* the jump host would not carry us on */
    SSH_SAID_LOCAL_PORT, /* a local port of ours is taken */
    SSH_SAID_REMOTE_PORT,
    SSH_SAID_AUTH,
    SSH_SAID_HOST_KEY_UNKNOWN,
    SSH_SAID_HOST_KEY_CHANGED,
    SSH_SAID_USAGE, /* it does not understand its own command line or configuration */
};

enum ssh_said sshwords_of(const char *line);

/* The last line of text that is not empty, "" if there is none. Writes NULs into text. */
const char *sshwords_last_line(char *text);

#endif
