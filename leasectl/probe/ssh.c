/* SPDX-License-Identifier: ISC */
#include "leasectl/probe/ssh.h"

#include <stdio.h>

const char *const ssh_env[] = {"DISPLAY=127.0.0.1:99", NULL};

void ssh_add_arg(struct ssh_args *a, const char *arg)
{
    if (a->count + 1 < SSH_ARGS_MAX)
        a->argv[a->count++] = arg;
}

void ssh_add_option(struct ssh_args *a, const char *option)
{
    ssh_add_arg(a, "-o");
    ssh_add_arg(a, option);
}

void ssh_begin(struct ssh_args *a, const struct attempt_target *t)
{
    *a = (struct ssh_args){.count = 0};
    (void)snprintf(a->port, sizeof(a->port), "%u", t->port);
    (void)snprintf(a->known_hosts, sizeof(a->known_hosts), "UserKnownHostsFile=%s", t->known_hosts);
    ssh_add_arg(a, "ssh");
    ssh_add_arg(a, "-F");
    ssh_add_arg(a, "none");
    ssh_add_arg(a, "-p");
    ssh_add_arg(a, a->port);
    ssh_add_arg(a, "-i");
    ssh_add_arg(a, t->key_file);
    ssh_add_option(a, "BatchMode=yes");
    ssh_add_option(a, "IdentitiesOnly=yes");
    ssh_add_option(a, "PreferredAuthentications=publickey");
    ssh_add_option(a, "StrictHostKeyChecking=yes");
    ssh_add_option(a, "GlobalKnownHostsFile=/dev/null");
    ssh_add_option(a, a->known_hosts);
    ssh_add_option(a, "ConnectTimeout=5");
    ssh_add_option(a, "XAuthLocation=/nonexistent");
    ssh_add_option(a, "KexAlgorithms=curve25519-sha256,curve25519-sha256@libssh.org,"
                      "ecdh-sha2-nistp256,diffie-hellman-group14-sha256");
    ssh_add_arg(a, "-l");
    ssh_add_arg(a, t->login);
}
