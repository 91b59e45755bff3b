/* SPDX-License-Identifier: ISC */
/* `tunnel-agent install`: makes a service manager's file that runs exactly these arguments. Returns
 * the exit status. */
#ifndef TUNLEASE_AGENT_INSTALL_H
#define TUNLEASE_AGENT_INSTALL_H

int install_service(int argc, char **argv);

#endif
