/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/gateway/gateway_leg.h"

#include "tunnel-agent/config/leg.h"
#include "tunnel-agent/config/options.h"
#include "tunnel-agent/gateway/arguments.h"
#include "tunnel-agent/gateway/registration.h"
#include "tunnel-agent/host/endpoint.h"
#include "tunnel-agent/host/statedir.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

/* HOST:PORT:REST, or HOST:PORT if rest is empty; for the caller to free. */
static char *endpoint_spec(const char *host, unsigned port, const char *rest)
{
    char endpoint[ENDPOINT_BYTES], *text = NULL;
    endpoint_format(host, port, endpoint);
    return asprintf(&text, "%s%s%s", endpoint, rest[0] != '\0' ? ":" : "", rest) < 0 ? NULL : text;
}

/* Sets the host, port and login. The command line overrides the gateway's answer. */
static const char *set_login(struct leg *leg, const struct arguments *args,
                             const struct register_answer *a)
{
    const struct gateway_options *o = args->o;
    const char *host = o->ssh_host, *user, *problem;
    char port[8];
    user = args->user[0] != '\0' ? args->user : a->ssh_user;
    if (args->over_ssh) {
        host = o->over_ssh;
        leg->config_file = o->ssh_config != NULL ? strdup(o->ssh_config) : NULL;
    } else {
        if (host == NULL)
            host = args->host[0] != '\0' ? args->host
                                         : (a->ssh_host[0] != '\0' ? a->ssh_host : args->url.host);
        leg->config_file = strdup("none");
        (void)snprintf(port, sizeof(port), "%u", a->ssh_port != 0 ? a->ssh_port : 22);
        if ((problem = leg_add_ssh_option(leg, "-p",
                                          o->ssh_port != NULL     ? o->ssh_port
                                          : args->port[0] != '\0' ? args->port
                                                                  : port)) != NULL)
            return problem;
    }
    if ((problem = leg_set_to(leg, host)) != NULL)
        return problem;
    return leg_add_ssh_option(leg, "-l", user);
}

const char *gateway_leg_build(struct leg *ret, const struct arguments *args,
                              const struct registration *r, const struct statedir *state)
{
    const struct gateway_options *o = args->o;
    const struct register_answer *a = &r->answer;
    struct leg leg = {.probe = PROBE_HTTP};
    const char *bind = o->reverse_bind_host, *problem;

    (void)strlcpy(leg.name, "gateway", sizeof(leg.name));
    (void)strlcpy(leg.probe_path, "/healthz", sizeof(leg.probe_path));
    if ((problem = set_login(&leg, args, a)) != NULL)
        goto fail;
    if (bind == NULL)
        bind = a->reverse_bind_host[0] != '\0' ? a->reverse_bind_host : "127.0.0.1";
    if (r->exists)
        leg.reverse = endpoint_spec(bind, a->port_b, args->target);
    leg.control_sock = statedir_file(state, "ctl.sock");
    leg.control_to = endpoint_spec("127.0.0.1", arguments_control_port(args, a->control_port), "");
    leg.identity = statedir_file(state, "agent.pem");
    if (o->host_key != NULL) {
        if ((problem = leg_set_host_key(&leg, o->host_key)) != NULL)
            goto fail;
    } else {
        leg.known_hosts = statedir_file(state, "known_hosts");
    }
    problem = "does not fit in memory";
    if (leg.control_sock == NULL || leg.control_to == NULL || leg.identity == NULL ||
        (r->exists && leg.reverse == NULL) || (o->host_key == NULL && leg.known_hosts == NULL))
        goto fail;
    leg_release(ret);
    *ret = leg;
    return NULL;
fail:
    leg_release(&leg);
    return problem;
}
