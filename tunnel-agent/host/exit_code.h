/* SPDX-License-Identifier: ISC */
/* The exit statuses of tunnel-agent (tunnel-agent(1)). */
#ifndef TUNLEASE_AGENT_HOST_EXIT_CODE_H
#define TUNLEASE_AGENT_HOST_EXIT_CODE_H

enum exit_code {
    EXIT_DONE = 0,   /* stopped, or revoked for good */
    EXIT_FAILED = 1, /* it failed, or a check found something */
    EXIT_USAGE = 2,  /* wrong usage or a bad file: nothing was started */
};

#endif
