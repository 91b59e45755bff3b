/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/gateway/arguments.h"

#include "lib/base/log.h"
#include "lib/wire/register.h"
#include "tunnel-agent/config/leg.h"
#include "tunnel-agent/config/options.h"
#include "tunnel-agent/gateway/https.h"
#include "tunnel-agent/ssh/alias.h"

#include <bsd/string.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The credential itself, or the first line of @FILE. It has no blanks. */
static char *read_credential(const char *given, char why[static WHY_BYTES])
{
    char text[400];
    if (given[0] != '@') {
        (void)strlcpy(text, given, sizeof(text));
    } else {
        FILE *f = fopen(given + 1, "re");
        if (f == NULL) {
            (void)snprintf(why, WHY_BYTES, "cannot read '%.400s': %s", given + 1, strerror(errno));
            return NULL;
        }
        if (fgets(text, sizeof(text), f) == NULL)
            text[0] = '\0';
        (void)fclose(f);
        text[strcspn(text, "\r\n")] = '\0';
    }
    if (text[0] == '\0' || strlen(text) > 390) {
        (void)snprintf(why, WHY_BYTES,
                       "the key or token is empty or longer than 390 "
                       "characters");
        return NULL;
    }
    for (const char *p = text; *p != '\0'; p++)
        if (!isgraph((unsigned char)*p)) {
            (void)snprintf(why, WHY_BYTES,
                           "the key or token holds a blank or a character that "
                           "is not printable ASCII");
            return NULL;
        }
    return strdup(text);
}

/* [USER@]HOST[:PORT] */
static const char *read_gateway(struct arguments *a, const char *text)
{
    const char *at = strrchr(text, '@'), *host = at != NULL ? at + 1 : text;
    const char *colon = strrchr(host, ':'), *end;
    if (host[0] == '[') {
        end = strchr(host, ']');
        if (end == NULL || (end[1] != '\0' && end[1] != ':'))
            return "is no [USER@]HOST[:PORT]";
        colon = end[1] == ':' ? end + 1 : NULL;
        host++;
    } else {
        end = colon != NULL ? colon : host + strlen(host);
    }
    (void)strlcpy(a->user, "gw-tunnel", sizeof(a->user));
    if (at != NULL) {
        if ((size_t)(at - text) >= sizeof(a->user))
            return "has too long a user name";
        (void)snprintf(a->user, sizeof(a->user), "%.*s", (int)(at - text), text);
    }
    if (login_name_problem(a->user) != NULL)
        return "has a user that is no login";
    if (colon != NULL && leg_port(colon + 1) == 0)
        return "has a port that is not 1-65535";
    if (colon != NULL)
        (void)strlcpy(a->port, colon + 1, sizeof(a->port));
    if (end == host || (size_t)(end - host) >= sizeof(a->host))
        return "names no host";
    (void)snprintf(a->host, sizeof(a->host), "%.*s", (int)(end - host), host);
    struct leg probe = {.ssh_option_count = 0};
    const char *problem = leg_set_to(&probe, a->host);
    leg_release(&probe);
    return problem;
}

static int read_target(struct arguments *a, char why[static WHY_BYTES])
{
    const struct gateway_options *o = a->o;
    const char *problem;
    const char *host = o->target_host != NULL ? o->target_host : "127.0.0.1";
    const char *port = o->target_port != NULL ? o->target_port : "22";
    struct leg probe = {.ssh_option_count = 0};
    char spec[400];
    const char *warning;

    (void)snprintf(a->target, sizeof(a->target), "%.250s:%.8s", host, port);
    (void)snprintf(spec, sizeof(spec), "1:%s", a->target);
    problem = leg_add_forward(&probe, spec, &warning);
    leg_release(&probe);
    if (problem != NULL) {
        (void)snprintf(why, WHY_BYTES, "the target '%.300s' is no HOST:PORT", a->target);
        return -1;
    }
    if (o->ssh_port != NULL && leg_port(o->ssh_port) == 0) {
        (void)snprintf(why, WHY_BYTES, "SSH_PORT '%.100s' is no port of 1-65535", o->ssh_port);
        return -1;
    }
    return 0;
}

static int read_endpoint(struct arguments *a, char why[static WHY_BYTES])
{
    const struct gateway_options *o = a->o;
    const char *problem;
    if ((problem = url_parse(o->endpoint, &a->url)) != NULL) {
        (void)snprintf(why, WHY_BYTES, "the endpoint '%.200s' %s", o->endpoint, problem);
        return -1;
    }
    a->over_ssh = o->over_ssh != NULL && sshalias_exists(o->ssh_config, o->over_ssh);
    if (o->over_ssh != NULL && !a->over_ssh)
        log_warn("warning: '%s' is no Host of %s: the endpoint is asked directly", o->over_ssh,
                 o->ssh_config != NULL ? o->ssh_config : "~/.ssh/config");
    if (a->url.tls && !a->over_ssh && !https_is_built_in()) {
        (void)snprintf(why, WHY_BYTES, "this tunnel-agent was built without https (HTTPS=1)");
        return -1;
    }
    if (!a->url.tls && !a->over_ssh && !url_is_loopback(&a->url)) {
        if (!o->insecure) {
            (void)snprintf(why, WHY_BYTES,
                           "'%.200s' would show the key to everybody on the way: use https://, "
                           "--over-ssh, --gateway, or --insecure",
                           o->endpoint);
            return -1;
        }
        log_warn("warning: --insecure: everybody on the way to '%s' can read the key and forge the "
                 "answer",
                 o->endpoint);
    }
    return 0;
}

int arguments_read(struct arguments *a, const struct gateway_options *o, char why[static WHY_BYTES])
{
    const char *problem;
    a->o = o;
    if (read_target(a, why) != 0)
        return -1;
    if (o->gateway == NULL && read_endpoint(a, why) != 0)
        return -1;
    if (o->gateway != NULL && (problem = read_gateway(a, o->gateway)) != NULL) {
        (void)snprintf(why, WHY_BYTES, "--gateway '%.200s' %s", o->gateway, problem);
        return -1;
    }
    if (o->gateway != NULL)
        a->url =
            (struct url){.host = "127.0.0.1", .port = arguments_control_port(a, 0), .path = "/"};
    return o->credential == NULL || (a->credential = read_credential(o->credential, why)) != NULL
               ? 0
               : -1;
}

uint16_t arguments_control_port(const struct arguments *a, uint16_t told)
{
    if (a->o->control_port != 0)
        return a->o->control_port;
    if (told != 0)
        return told;
    return a->o->gateway != NULL || a->url.tls ? REGISTER_CONTROL_PORT : a->url.port;
}

void arguments_release(struct arguments *a)
{
    free(a->credential);
}
