/* SPDX-License-Identifier: ISC */
/* What a person must do when the gateway's control port cannot be reached. Pure. */
#ifndef TUNLEASE_AGENT_GATEWAY_REACH_ADVICE_H
#define TUNLEASE_AGENT_GATEWAY_REACH_ADVICE_H

/* why: the words of curl, of getaddrinfo(3), of strerror(3) or our own. A sentence that begins with
 * ". "; "" where why says it all. */
const char *reach_advice(const char *why);

#endif
