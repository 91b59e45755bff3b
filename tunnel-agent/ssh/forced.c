/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/ssh/forced.h"

#include "lib/base/buf.h"
#include "tunnel-agent/host/process.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

enum { ASK_MS = 2000 };

enum standing {
    IN_ALL, /* since before OpenSSH 8.2 */
    NOT_ASKED,
    KNOWN,
    UNKNOWN
};

struct setting {
    const char *text;
    enum standing standing;
};

static struct setting always[] = {
    {"BatchMode=yes", IN_ALL},
    {"ForwardAgent=no", IN_ALL},
    {"ForwardX11=no", IN_ALL},
    {"PermitLocalCommand=no", IN_ALL},
    {"RemoteCommand=none", IN_ALL},
    {"RequestTTY=no", IN_ALL},
    {"Tunnel=no", IN_ALL},
    {"ControlMaster=no", IN_ALL}, /* another's master would take over our forwards */
    {"ControlPath=none", IN_ALL},
    {"ControlPersist=no", IN_ALL},
    {"ForkAfterAuthentication=no", NOT_ASKED}, /* 8.7 */
    {"ClearAllForwardings=no", IN_ALL},
    {"ExitOnForwardFailure=yes", IN_ALL},
    {"LogLevel=VERBOSE", IN_ALL},
    {"ConnectionAttempts=1", IN_ALL},
    {"GatewayPorts=no", IN_ALL},
    {"UpdateHostKeys=no", IN_ALL},
    {"StreamLocalBindUnlink=yes", IN_ALL},
};

static struct setting jump[] = {
    {"BatchMode=yes", IN_ALL},
    {"ForwardAgent=no", IN_ALL},
    {"ForwardX11=no", IN_ALL},
    {"PermitLocalCommand=no", IN_ALL},
    {"RemoteCommand=none", IN_ALL},
    {"Tunnel=no", IN_ALL},
    {"ControlMaster=no", IN_ALL},
    {"ControlPersist=no", IN_ALL},
    {"ForkAfterAuthentication=no", NOT_ASKED}, /* 8.7 */
};

static struct setting host_keys[] = {
    {"GlobalKnownHostsFile=/dev/null", IN_ALL},
    {"VerifyHostKeyDNS=no", IN_ALL},
    {"NoHostAuthenticationForLocalhost=no", IN_ALL},
    {"CheckHostIP=no", IN_ALL},            /* it would ask the file for the address, too */
    {"KnownHostsCommand=none", NOT_ASKED}, /* 8.5 */
};

enum {
    ALWAYS = sizeof(always) / sizeof(always[0]),
    HOST_KEYS = sizeof(host_keys) / sizeof(host_keys[0])
};

static_assert(sizeof(always) / sizeof(always[0]) <= SSHFORCED_MAX, "callers have room");

/* Only its own words make one unknown: an ssh that could not be asked is asked again. */
static void ask(struct setting *s)
{
    struct buf said = {0};
    const char *const argv[] = {"ssh", "-F", "none", "-o", s->text, "-G", "localhost", NULL};
    if (s->standing != NOT_ASKED)
        return;
    if (process_run(argv, ASK_MS, &said) == 0)
        s->standing = KNOWN;
    else if (buf_text(&said) != NULL && strstr(buf_text(&said), "Bad configuration option") != NULL)
        s->standing = UNKNOWN;
    buf_release(&said);
}

static const char *nth(struct setting *settings, size_t count, size_t i)
{
    for (size_t k = 0; k < count; k++) {
        ask(&settings[k]);
        if (settings[k].standing != UNKNOWN && i-- == 0)
            return settings[k].text;
    }
    return NULL;
}

const char *sshforced(size_t i)
{
    return nth(always, ALWAYS, i);
}

const char *sshforced_jump(size_t i)
{
    return nth(jump, sizeof(jump) / sizeof(jump[0]), i);
}

const char *sshforced_host_keys(size_t i)
{
    return nth(host_keys, HOST_KEYS, i);
}

void sshforced_learn(void)
{
    for (size_t i = 0; i < ALWAYS; i++)
        ask(&always[i]);
    for (size_t i = 0; i < HOST_KEYS; i++)
        ask(&host_keys[i]);
}

void sshforced_forget(void)
{
    for (size_t i = 0; i < ALWAYS; i++)
        if (always[i].standing != IN_ALL)
            always[i].standing = NOT_ASKED;
    for (size_t i = 0; i < HOST_KEYS; i++)
        if (host_keys[i].standing != IN_ALL)
            host_keys[i].standing = NOT_ASKED;
}
