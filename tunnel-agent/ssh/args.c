/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/ssh/args.h"

#include "tunnel-agent/config/settings.h"
#include "tunnel-agent/host/endpoint.h"
#include "tunnel-agent/ssh/fixed_options.h"
#include "tunnel-agent/ssh/jump.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(struct sshargs *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct sshargs *a, const char *fmt, ...)
{
    char *word = NULL;
    va_list ap;
    va_start(ap, fmt);
    if (a->count < SSHARGS_MAX && vasprintf(&word, fmt, ap) >= 0)
        a->argv[a->count++] = word;
    else
        a->failed = true;
    va_end(ap);
}

static void add_setting(struct sshargs *a, const char *setting)
{
    add(a, "-o");
    add(a, "%s", setting);
}

char *sshargs_forward(const struct forward *f)
{
    char near[ENDPOINT_BYTES], far[ENDPOINT_BYTES], *spec = NULL;
    endpoint_format(f->bind, f->port, near);
    endpoint_format(f->host, f->host_port, far);
    return asprintf(&spec, "%s:%s", near, far) < 0 ? NULL : spec;
}

/* Adds the program and the file of its configuration. */
static void begin(struct sshargs *a, const char *config_file)
{
    *a = (struct sshargs){0};
    add(a, "%s", sshjump_name());
    if (config_file != NULL) {
        add(a, "-F");
        add(a, "%s", config_file);
    }
}

/* An incomplete list must not be run, so argv is then empty. After the `--` ssh takes no option, so
 * a command may begin with one. */
static void end(struct sshargs *a, const char *to, const char *command)
{
    add(a, "--");
    add(a, "%s", to);
    if (command != NULL)
        add(a, "%s", command);
    a->argv[a->failed ? 0 : a->count] = NULL;
}

static void add_settings(struct sshargs *a, const char *(*nth)(size_t i))
{
    const char *setting;
    for (size_t i = 0; (setting = nth(i)) != NULL; i++)
        add_setting(a, setting);
}

static void add_fixed_options(struct sshargs *a, const struct leg *leg,
                              const struct sshargs_plan *plan)
{
    /* Lets the gateway's sshd, proven by its pinned key, tell us its other host keys. */
    if (plan->use == SSHARGS_TUNNEL && leg->known_hosts != NULL)
        add_setting(a, "UpdateHostKeys=yes");
    /* A forward of the user's configuration is not for a command. */
    if (plan->use == SSHARGS_COMMAND)
        add_setting(a, "ClearAllForwardings=yes");
    /* Before the fixed options, which say no: ssh takes the first value. */
    if (plan->mux_sock != NULL) {
        add_setting(a, "ControlMaster=yes");
        add(a, "-S");
        add(a, "%s", plan->mux_sock);
    }
    add_settings(a, sshfixed_option);
}

static void add_host_key_settings(struct sshargs *a, const struct sshargs_plan *plan)
{
    add_setting(a, plan->use == SSHARGS_HOST_KEY ? "StrictHostKeyChecking=accept-new"
                                                 : "StrictHostKeyChecking=yes");
    if (plan->known_hosts != NULL) {
        add_settings(a, sshfixed_host_key_option);
        add(a, "-o");
        add(a, "UserKnownHostsFile=\"%s\"", plan->known_hosts);
    }
    if (plan->host_key_algorithms != NULL) {
        add(a, "-o");
        add(a, "HostKeyAlgorithms=%s", plan->host_key_algorithms);
    }
}

static void add_identity(struct sshargs *a, const struct leg *leg)
{
    if (leg->identity == NULL)
        return;
    add_setting(a, "IdentitiesOnly=yes");
    add_setting(a, "IdentityAgent=none");
    add_setting(a, "PreferredAuthentications=publickey");
    add_setting(a, "HashKnownHosts=no");
    add_setting(a, "HostKeyAlias=tunlease-gateway");
    add(a, "-i");
    add(a, "%s", leg->identity);
}

static void add_local_forward(struct sshargs *a, const struct forward *f)
{
    char *spec = sshargs_forward(f);
    add(a, "-L");
    if (spec != NULL)
        add(a, "%s", spec);
    else
        a->failed = true;
    free(spec);
}

static void add_forwards(struct sshargs *a, const struct leg *leg, const struct sshargs_plan *plan)
{
    for (size_t i = 0; i < leg->forward_count; i++)
        if (plan->left_out == NULL || !plan->left_out[i])
            add_local_forward(a, &leg->forwards[i]);
    if (leg->reverse != NULL) {
        add(a, "-R");
        add(a, "%s", leg->reverse);
    }
    if (leg->control_sock != NULL) {
        add(a, "-L");
        add(a, "%s:%s", leg->control_sock, leg->control_to);
    }
    /* The last forward: once its socket accepts, ssh has bound the others. */
    if (plan->canary_sock != NULL) {
        add(a, "-L");
        add(a, "%s:127.0.0.1:1", plan->canary_sock);
    }
}

/* Who names a key means this one. Otherwise ssh offers all keys of the ssh agent first, and a far
 * side's MaxAuthTries may end the login before it is tried. */
static bool names_identity(const struct leg *leg)
{
    for (size_t i = 0; i < leg->ssh_option_count; i++)
        if (strcmp(leg->ssh_options[i], "-i") == 0)
            return true;
    return false;
}

void sshargs_build(struct sshargs *a, const struct leg *leg, const struct sshargs_plan *plan)
{
    begin(a, leg->config_file);
    if (plan->use == SSHARGS_RESOLVE)
        add(a, "-G");
    add_fixed_options(a, leg, plan);
    add_host_key_settings(a, plan);
    /* Before add_identity: with our key the login would succeed, and ssh would stay. */
    if (plan->use == SSHARGS_HOST_KEY) {
        add_setting(a, "PreferredAuthentications=none");
        add_setting(a, "HashKnownHosts=no");
    }
    add_identity(a, leg);
    for (size_t i = 0; i < leg->ssh_option_count; i++)
        add(a, "%s", leg->ssh_options[i]);
    /* After the user's options, so that a value of the user's comes first. */
    if (names_identity(leg))
        add_setting(a, "IdentitiesOnly=yes");
    add(a, "-o");
    add(a, "ConnectTimeout=%lld",
        (long long)plan->settings->connect_timeout_s << plan->timeout_doublings);
    add_setting(a, "ServerAliveInterval=5");
    add_setting(a, "ServerAliveCountMax=3");
    add_setting(a, "TCPKeepAlive=yes");
    if (plan->use != SSHARGS_COMMAND)
        add(a, "-N");
    add(a, "-T");
    if (plan->use == SSHARGS_TUNNEL)
        add_forwards(a, leg, plan);
    end(a, leg->to, plan->use == SSHARGS_COMMAND ? plan->command : NULL);
}

void sshargs_build_forward(struct sshargs *a, const char *to, const char *config_file,
                           const struct forward *f)
{
    begin(a, config_file);
    add_settings(a, sshfixed_option);
    add_setting(a, "ConnectTimeout=5");
    add(a, "-N");
    add(a, "-T");
    add_local_forward(a, f);
    end(a, to, NULL);
}

const char *const *sshargs_argv(const struct sshargs *a)
{
    return (const char *const *)a->argv;
}

void sshargs_release(struct sshargs *a)
{
    for (size_t i = 0; i < a->count; i++)
        free(a->argv[i]);
    *a = (struct sshargs){0};
}
