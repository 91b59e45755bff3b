/* SPDX-License-Identifier: ISC */
/* One run of the ssh that holds a leg: its process, and what it said so far. */
#ifndef TUNLEASE_AGENT_SSH_RUN_H
#define TUNLEASE_AGENT_SSH_RUN_H

#include "tunnel-agent/host/connection.h"
#include "tunnel-agent/ssh/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct event;
struct event_base;
struct leg;
struct sshargs;

enum { SSHRUN_TEXT_BYTES = 320 };

struct ssh_run {
    pid_t pid;  /* 0: no ssh */
    int err_fd; /* -1: closed */
    struct event *err_event;
    char line[512]; /* of ssh's standard error, so far */
    size_t line_len;
    enum ssh_message cause, channel_failure;
    char cause_text[SSHRUN_TEXT_BYTES];
    bool authenticated;
    unsigned long connection; /* ssh's own, see connection_find; 0: not known */
    enum connection_carrier carrier;
};

/* Starts one, with nothing said yet; an earlier one has been reaped. 0, or -1: not started, or,
 * where pid is set, its words cannot be read. */
int sshrun_start(struct ssh_run *r, struct event_base *base, const struct sshargs *args);

/* Reads what it has said up to now. */
void sshrun_drain(struct ssh_run *r);

/* For it and all that it started; nothing happens when none runs. */
void sshrun_signal(const struct ssh_run *r, int signal_no);

/* Has it ended, or said why it is about to? */
bool sshrun_is_ending(struct ssh_run *r);

/* waitpid(2) returned its pid: reads its last words. */
void sshrun_reaped(struct ssh_run *r);

/* How it ended, as a person would say it. status: waitpid(2)'s. */
void sshrun_describe_end(const struct ssh_run *r, const struct leg *leg, int status,
                         char text[static SSHRUN_TEXT_BYTES]);

/* Gives back what was needed to hear it; it is not ended. */
void sshrun_release(struct ssh_run *r);

#endif
