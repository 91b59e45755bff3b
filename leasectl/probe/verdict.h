/* SPDX-License-Identifier: ISC */
/* What became of an attempt, and the words of ssh that say so. */
#ifndef TUNLEASE_LEASECTL_PROBE_VERDICT_H
#define TUNLEASE_LEASECTL_PROBE_VERDICT_H

#include "leasectl/child.h"

enum attempt_verdict {
    ATTEMPT_ALLOWED,     /* it did what was tried; evidence says how that showed */
    ATTEMPT_REFUSED,     /* by policy */
    ATTEMPT_DOWN,        /* policy let it through, and nothing answered there */
    ATTEMPT_NO_LOGIN,    /* sshd took no key: nothing could be tried */
    ATTEMPT_UNREACHABLE, /* no sshd answered */
    ATTEMPT_UNCLEAR,     /* cannot be tried here, or nothing that we understand came back */
};

const char *attempt_verdict_name(enum attempt_verdict v);

enum { ATTEMPT_EVIDENCE_BYTES = 256 };

/* True when ssh has printed these words on its standard error so far. */
bool ssh_says(const struct child *c, const char *words);

/* One line as evidence, without what a terminal would obey. */
void quote_ssh_line(const char *line, char evidence[static ATTEMPT_EVIDENCE_BYTES]);

/* The last line of ssh that is not a debug line, as evidence: why ssh ended. */
void quote_last_words(const struct child *c, char evidence[static ATTEMPT_EVIDENCE_BYTES]);

/* The line of ssh that has these words, as evidence; where none has, its last words. */
void quote_reason(const struct child *c, const char *words,
                  char evidence[static ATTEMPT_EVIDENCE_BYTES]);

/* What ended ssh before anything could be tried, or ATTEMPT_ALLOWED when nothing of that kind. */
enum attempt_verdict connection_verdict(const struct child *c);

/* What became of a channel to a target, ATTEMPT_UNCLEAR when ssh has not said it. */
enum attempt_verdict channel_verdict(const struct child *c);

/* Of the connection, else of the channel, with evidence. */
enum attempt_verdict conclude_channel(const struct child *c,
                                      char evidence[static ATTEMPT_EVIDENCE_BYTES]);

#endif
