/* SPDX-License-Identifier: ISC */
/* `tunnel-agent install`: the service manager's file for exactly these arguments. */
#ifndef TUNLEASE_AGENT_INSTALL_H
#define TUNLEASE_AGENT_INSTALL_H

int install_service(int argc, char **argv);

#endif
