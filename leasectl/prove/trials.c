/* SPDX-License-Identifier: ISC */
#include "leasectl/prove/trials.h"

#include <string.h>

#define BY_VERIFY "with ssh and a lease of 60 seconds, as 'leasectl verify' does: "
#define BY_OWN "with ssh and a lease of prove's own, for two keys: "
#define BY_DOCTOR "as 'leasectl doctor' judges it: "

const struct trial trials[] = {
    {"within-ceiling", "each active lease is compared with AllowOpen and AllowListen of today"},
    {"audit-chain", "the hash of each row of the audit is computed again"},
    {"audit-guard", "a row of the audit is changed, deleted and replaced, in a transaction that is "
                    "rolled back"},
    {"audit-rows", "what prove itself did to its lease is looked up in the audit"},
    {"sshd-ceiling", BY_DOCTOR "what 'sshd -T' has in force for each tunnel login, from each kind "
                               "of client that its configuration tells apart"},
    {"registry-owner", "the kernel is asked whether the store's owner may write there"},
    {"leased-powers", "the kernel is asked for the capabilities of leased's processes"},
    {"akc-writes-nothing", "the kernel is asked whether the user of AuthorizedKeysCommand may "
                           "write there"},
    {"akc-reads-no-keys", "the kernel is asked whether the user of AuthorizedKeysCommand may read "
                          "them"},
    {"all-registered", BY_DOCTOR "the processes of tunnel logins are compared with the registry"},
    {"no-session", BY_VERIFY "a shell, a command, a terminal, sftp"},
    {"nothing-else", BY_VERIFY "another port, host and name, -R, -D, -W, -w, unix sockets, agent "
                               "and X11 forwarding"},
    {"permitted", BY_VERIFY "data through a permitted forward"},
    {"su", "root runs 'true' as each tunnel login with su(1), and with sudo(8) where it is "
           "installed"},
    {"pam-stacks", BY_DOCTOR "the PAM stacks are read as libpam reads them"},
    {"no-lease", BY_OWN "a login with a key that was made this moment"},
    {"stray-keys", "'sshd -T' is asked for AuthorizedKeysFile and TrustedUserCAKeys of each tunnel "
                   "login"},
    {"revoked-login", BY_VERIFY "a login with the key of a lease that was revoked"},
    {"expired-login", BY_VERIFY "a login with the key of a lease that has expired"},
    {"removed-key-login", BY_OWN "a login with a key that was taken from it"},
    {"other-address", BY_OWN "a login from an address that --from does not name"},
    {"revoked-session", BY_VERIFY "a live session while its lease is revoked"},
    {"removed-key-session", BY_OWN "a live session while its key is taken away"},
    {"narrowed-session", BY_OWN "a live session while --from comes to exclude its address"},
    {"expired-session", BY_OWN "a live session while the lease expires, with leased"},
    {"max-sessions", BY_OWN "one login more than --max-sessions"},
    {"ends-alone", BY_OWN "the session of one key while that of the other key is ended"},
    {"revoked-agent", BY_VERIFY "a login of AgentLogin whose lease was revoked"},
    {"store-modes", BY_DOCTOR "owners and modes of the store's directory and files"},
    {"strangers-read-nothing", "the kernel is asked whether a user without any group may read "
                               "them"},
    {"accounts", BY_DOCTOR "password, shell, groups and user manager of each tunnel login"},
    {"programs", "owners and modes of each file and of all directories above it"},
    {"no-credential", "requests without a credential to where leased listens"},
    {"page-host", "requests for the page's data under another name, and from another site's page"},
    {"loopback-only", "the kernel's table of listening sockets"},
};

const size_t trial_count = sizeof(trials) / sizeof(trials[0]);

const struct trial *trial_find(const char *id)
{
    for (size_t i = 0; i < trial_count; i++)
        if (strcmp(trials[i].id, id) == 0)
            return &trials[i];
    return NULL;
}
