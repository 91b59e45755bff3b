/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/ssh/fixed_options.h"

#include "lib/base/buf.h"
#include "tunnel-agent/host/process.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

enum { QUERY_MS = 2000 };

enum support {
    IN_ALL, /* since before OpenSSH 8.2 */
    NOT_QUERIED,
    KNOWN,
    UNKNOWN
};

struct setting {
    const char *text;
    enum support support;
};

static struct setting always[] = {
    {"BatchMode=yes", IN_ALL},
    {"ForwardAgent=no", IN_ALL},
    {"ForwardX11=no", IN_ALL},
    {"PermitLocalCommand=no", IN_ALL},
    {"RemoteCommand=none", IN_ALL},
    {"RequestTTY=no", IN_ALL},
    {"Tunnel=no", IN_ALL},
    {"ControlMaster=no", IN_ALL}, /* a master that is there would take our forwards */
    {"ControlPath=none", IN_ALL},
    {"ControlPersist=no", IN_ALL},
    {"ForkAfterAuthentication=no", NOT_QUERIED}, /* 8.7 */
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
    {"ForkAfterAuthentication=no", NOT_QUERIED}, /* 8.7 */
};

static struct setting host_keys[] = {
    {"GlobalKnownHostsFile=/dev/null", IN_ALL},
    {"VerifyHostKeyDNS=no", IN_ALL},
    {"NoHostAuthenticationForLocalhost=no", IN_ALL},
    {"CheckHostIP=no", IN_ALL},              /* it would look up the address as well */
    {"KnownHostsCommand=none", NOT_QUERIED}, /* 8.5 */
};

enum {
    ALWAYS = sizeof(always) / sizeof(always[0]),
    HOST_KEYS = sizeof(host_keys) / sizeof(host_keys[0])
};

static_assert(sizeof(always) / sizeof(always[0]) <= SSHFIXED_MAX, "callers have room");

/* A setting is unknown only if ssh says so. If ssh could not be run, it is queried again. */
static void query_support(struct setting *s)
{
    struct buf output = {0};
    const char *const argv[] = {"ssh", "-F", "none", "-o", s->text, "-G", "localhost", NULL};
    if (s->support != NOT_QUERIED)
        return;
    if (process_run(argv, QUERY_MS, &output) == 0)
        s->support = KNOWN;
    else if (buf_text(&output) != NULL &&
             strstr(buf_text(&output), "Bad configuration option") != NULL)
        s->support = UNKNOWN;
    buf_release(&output);
}

static const char *nth(struct setting *settings, size_t count, size_t i)
{
    for (size_t k = 0; k < count; k++) {
        query_support(&settings[k]);
        if (settings[k].support != UNKNOWN && i-- == 0)
            return settings[k].text;
    }
    return NULL;
}

const char *sshfixed_option(size_t i)
{
    return nth(always, ALWAYS, i);
}

const char *sshfixed_jump_option(size_t i)
{
    return nth(jump, sizeof(jump) / sizeof(jump[0]), i);
}

const char *sshfixed_host_key_option(size_t i)
{
    return nth(host_keys, HOST_KEYS, i);
}

void sshfixed_learn(void)
{
    for (size_t i = 0; i < ALWAYS; i++)
        query_support(&always[i]);
    for (size_t i = 0; i < HOST_KEYS; i++)
        query_support(&host_keys[i]);
}

void sshfixed_forget(void)
{
    for (size_t i = 0; i < ALWAYS; i++)
        if (always[i].support != IN_ALL)
            always[i].support = NOT_QUERIED;
    for (size_t i = 0; i < HOST_KEYS; i++)
        if (host_keys[i].support != IN_ALL)
            host_keys[i].support = NOT_QUERIED;
}
