/* SPDX-License-Identifier: ISC */
/* What came of an attempt, and the words of ssh that show it. */
#ifndef TUNLEASE_LEASECTL_PROBE_VERDICT_H
#define TUNLEASE_LEASECTL_PROBE_VERDICT_H

#include "leasectl/child.h"

enum attempt_verdict {
    ATTEMPT_ALLOWED,     /* what was tried worked; evidence says how that showed */
    ATTEMPT_REFUSED,     /* by policy */
    ATTEMPT_DOWN,        /* policy permits it, but nothing answers there */
    ATTEMPT_NO_LOGIN,    /* sshd refused the key: nothing could be tried */
    ATTEMPT_UNREACHABLE, /* no sshd answered */
    ATTEMPT_UNCLEAR,     /* it cannot be tried here, or we do not understand the answer */
};

const char *attempt_verdict_name(enum attempt_verdict v);

enum { ATTEMPT_EVIDENCE_BYTES = 256 };

/* True when ssh has printed these words on its standard error so far. */
bool ssh_says(const struct child *c, const char *words);

/* Quotes one line as evidence, with what a terminal would obey escaped. */
void quote_ssh_line(const char *line, char evidence[static ATTEMPT_EVIDENCE_BYTES]);

/* Quotes why ssh ended: its last line that is not a debug line. */
void quote_last_words(const struct child *c, char evidence[static ATTEMPT_EVIDENCE_BYTES]);

/* Quotes the line of ssh that has these words; where none has, as quote_last_words. */
void quote_reason(const struct child *c, const char *words,
                  char evidence[static ATTEMPT_EVIDENCE_BYTES]);

/* Why ssh ended before anything could be tried; ATTEMPT_ALLOWED when it did not. */
enum attempt_verdict connection_verdict(const struct child *c);

/* What came of a channel to a target; ATTEMPT_UNCLEAR when ssh has not printed it. */
enum attempt_verdict channel_verdict(const struct child *c);

/* The verdict on the connection, else on the channel, with evidence. */
enum attempt_verdict conclude_channel(const struct child *c,
                                      char evidence[static ATTEMPT_EVIDENCE_BYTES]);

#endif
