/* SPDX-License-Identifier: ISC */
/* tunnel-agent exec: runs a command while a tunnel is up. */
#ifndef TUNLEASE_AGENT_EXEC_H
#define TUNLEASE_AGENT_EXEC_H

/* argv[0] is "exec". The exit status of the program. */
int exec_verb(int argc, char **argv);

#endif
