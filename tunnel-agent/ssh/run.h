/* SPDX-License-Identifier: ISC */
/* One run of a leg's ssh: its process, and the messages that it printed so far. */
#ifndef TUNLEASE_AGENT_SSH_RUN_H
#define TUNLEASE_AGENT_SSH_RUN_H

#include "lib/base/base64.h"
#include "tunnel-agent/host/connection.h"
#include "tunnel-agent/ssh/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct event;
struct event_base;
struct sshargs;

enum { SSHRUN_TEXT_BYTES = 320 };

struct ssh_run {
    pid_t pid;  /* 0: no ssh */
    int err_fd; /* -1: closed */
    struct event *err_event;
    char line[512]; /* the unfinished line of its standard error */
    size_t line_len;
    enum ssh_message cause;             /* the message that tells best why it ended */
    enum ssh_message channel_failure;   /* why the last channel could not be opened */
    char cause_text[SSHRUN_TEXT_BYTES]; /* the line of cause, or our own reason */
    char
        channel_text[SSHRUN_TEXT_BYTES]; /* that of channel_failure, without the channel's number */
    unsigned refused_count;              /* channels that the far side's sshd has forbidden */
    char refused_text[SSHRUN_TEXT_BYTES]; /* the text of the last of them */
    char key_text[SSHRUN_TEXT_BYTES];  /* the first line about a private key that it cannot use */
    char shown_key[FINGERPRINT_BYTES]; /* of a host whose key is not the known one, or "" */
    char offending_key[SSHRUN_TEXT_BYTES]; /* FILE:LINE of the known one, or "" */
    bool authenticated;
    bool jump_ended;          /* the jump host's ssh, or the ProxyCommand, ended before the login */
    unsigned long connection; /* its own connection, of connection_find; 0: not known */
    enum connection_carrier carrier;
};

/* Starts ssh; an earlier one must have been reaped. 0; or -1, and if pid is set then it runs, but
 * its messages cannot be read. */
int sshrun_start(struct ssh_run *r, struct event_base *base, const struct sshargs *args);

/* Parses len bytes that an ssh has printed. A zeroed *r will do: for an ssh that somebody else
 * runs.
 */
void sshrun_read(struct ssh_run *r, const char *text, size_t len);

/* Reads and parses what it has printed up to now. */
void sshrun_drain(struct ssh_run *r);

/* Sends a signal to it and to all that it started. Does nothing if none runs. */
void sshrun_signal(const struct ssh_run *r, int signal_no);

/* True if it has ended, or has printed why it is about to. */
bool sshrun_is_ending(struct ssh_run *r);

/* To be called when waitpid(2) returned its pid: reads what it printed last. */
void sshrun_reaped(struct ssh_run *r);

/* Closes the pipe of its messages. It does not end ssh. */
void sshrun_release(struct ssh_run *r);

#endif
