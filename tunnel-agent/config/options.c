/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/config/options.h"

#include "lib/base/log.h"
#include "lib/lease/permit.h"

#include <bsd/string.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPT_ENDPOINT = 256,
    OPT_GATEWAY,
    OPT_API_KEY,
    OPT_TOKEN,
    OPT_AGENT_ID,
    OPT_TARGET,
    OPT_REVERSE_BIND_HOST,
    OPT_OVER_SSH,
    OPT_CONTROL_PORT,
    OPT_INSECURE,
    OPT_HOST_KEY,
    OPT_PROBE,
    OPT_INVITE,
};

static const struct option longs[] = {
    {"endpoint", required_argument, NULL, OPT_ENDPOINT},
    {"gateway", required_argument, NULL, OPT_GATEWAY},
    {"api-key", required_argument, NULL, OPT_API_KEY},
    {"token", required_argument, NULL, OPT_TOKEN},
    {"agent-id", required_argument, NULL, OPT_AGENT_ID},
    {"target", required_argument, NULL, OPT_TARGET},
    {"reverse-bind-host", required_argument, NULL, OPT_REVERSE_BIND_HOST},
    {"over-ssh", required_argument, NULL, OPT_OVER_SSH},
    {"control-port", required_argument, NULL, OPT_CONTROL_PORT},
    {"insecure", no_argument, NULL, OPT_INSECURE},
    {"host-key", required_argument, NULL, OPT_HOST_KEY},
    {"probe", required_argument, NULL, OPT_PROBE},
    {"invite", required_argument, NULL, OPT_INVITE},
    {NULL, 0, NULL, 0},
};

/* Options of ssh that are refused, and why. */
static const struct {
    char letter;
    const char *why;
} refused_options[] = {
    {'f', "puts ssh into the background: for a service see 'tunnel-agent install'"},
    {'R', "is for a gateway only: use --endpoint or --gateway"},
    {'D', "has no service behind it to probe: use plain ssh"},
    {'W', "is no tunnel to be kept up"},
    {'w', "is no tunnel to be kept up"},
    {'M', "is set by this program itself"},
    {'S', "is set by this program itself"},
    {'O', "is set by this program itself"},
    {'A', "would let the far side use your keys"},
    {'X', "would let the far side see your screen"},
    {'Y', "would let the far side see your screen"},
    {'g', "is not needed: give a bind address, -L '*:PORT:HOST:HOSTPORT'"},
    {'t', "asks for a terminal, and there is no session"},
    {'s', "asks for a subsystem, and there is no session"},
};

static int bad(char why[static OPTIONS_WHY_BYTES], const char *what, const char *value,
               const char *problem)
{
    (void)snprintf(why, OPTIONS_WHY_BYTES, "%s '%.200s' %s", what, value, problem);
    return -1;
}

static int parse_ssh_option(struct options *o, int opt, char why[static OPTIONS_WHY_BYTES])
{
    const char letter[3] = {'-', (char)opt, '\0'};
    const char *problem = NULL, *warning = NULL;
    for (size_t i = 0; i < sizeof(refused_options) / sizeof(refused_options[0]); i++)
        if (refused_options[i].letter == opt)
            return bad(why, "option", letter, refused_options[i].why);
    switch (opt) {
    case 'L':
        problem = leg_add_forward(&o->leg, optarg, &warning);
        if (problem == NULL && warning != NULL)
            log_warn("warning: -L '%s' %s", optarg, warning);
        break;
    case 'N':
    case 'T':
    case 'n':
    case 'q':
    case 'v':
    case 'a':
    case 'x':
    case 'k':
        return 0; /* we do this anyway */
    default:
        problem = leg_add_ssh_option(&o->leg, letter, strchr("46C", opt) != NULL ? NULL : optarg);
        break;
    }
    return problem != NULL ? bad(why, letter, optarg != NULL ? optarg : "", problem) : 0;
}

static int parse_gateway_option(struct options *o, int opt, char why[static OPTIONS_WHY_BYTES])
{
    struct gateway_options *g = &o->gateway;
    const char *problem;
    switch (opt) {
    case OPT_ENDPOINT:
        g->endpoint = optarg;
        break;
    case OPT_GATEWAY:
        g->gateway = optarg;
        break;
    case OPT_API_KEY:
    case OPT_TOKEN:
        g->credential = optarg;
        o->credential_is_visible = optarg[0] != '@';
        break;
    case OPT_AGENT_ID:
        problem = lease_name_problem(optarg);
        if (problem != NULL)
            return bad(why, "agent id", optarg, problem);
        g->agent_id = optarg;
        break;
    case OPT_TARGET: {
        static char host[PERMIT_HOST_BYTES];
        const char *colon = strrchr(optarg, ':');
        if (colon == NULL || (size_t)(colon - optarg) >= sizeof(host) || colon == optarg ||
            leg_port(colon + 1) == 0)
            return bad(why, "target", optarg, "is no HOST:PORT");
        (void)strlcpy(host, optarg, (size_t)(colon - optarg) + 1);
        g->target_host = host;
        g->target_port = colon + 1;
        break;
    }
    case OPT_REVERSE_BIND_HOST:
        g->reverse_bind_host = optarg;
        break;
    case OPT_OVER_SSH:
        g->over_ssh = optarg;
        break;
    case OPT_CONTROL_PORT:
        g->control_port = leg_port(optarg);
        if (g->control_port == 0)
            return bad(why, "--control-port", optarg, "is no port of 1-65535");
        break;
    case OPT_INSECURE:
        g->insecure = true;
        break;
    default:
        return -1;
    }
    return 0;
}

static const char *get_variable(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* The variables of ssh-tunnel-gateway. The command line overrides them. */
static const struct {
    const char *name;
    size_t field;
} variables[] = {
    {"API_URL", offsetof(struct gateway_options, endpoint)},
    {"API_KEY", offsetof(struct gateway_options, credential)},
    {"LOCAL_TARGET_HOST", offsetof(struct gateway_options, target_host)},
    {"LOCAL_TARGET_PORT", offsetof(struct gateway_options, target_port)},
    {"REVERSE_BIND_HOST", offsetof(struct gateway_options, reverse_bind_host)},
    {"OVER_SSH", offsetof(struct gateway_options, over_ssh)},
    {"SSH_HOST", offsetof(struct gateway_options, ssh_host)},
    {"SSH_PORT", offsetof(struct gateway_options, ssh_port)},
    {"SSH_CONFIG_PATH", offsetof(struct gateway_options, ssh_config)},
};

static void read_environment(struct gateway_options *g)
{
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        const char **field = (const char **)(void *)((char *)g + variables[i].field);
        if (*field == NULL && (field != &g->endpoint || g->gateway == NULL))
            *field = get_variable(variables[i].name);
    }
}

const char *options_variable(const struct options *o, size_t i)
{
    if (get_variable("STATE_DIR") != NULL && i-- == 0)
        return "STATE_DIR";
    for (size_t k = 0; k < sizeof(variables) / sizeof(variables[0]); k++) {
        const char *const *field =
            (const char *const *)(const void *)((const char *)&o->gateway + variables[k].field);
        if (*field != NULL && *field == get_variable(variables[k].name) && i-- == 0)
            return variables[k].name;
    }
    return NULL;
}

static int decide_mode(struct options *o, int argc, char **argv, const char *host_key,
                       const char *probe, char why[static OPTIONS_WHY_BYTES])
{
    const char *problem;
    bool wants_leg = optind < argc || o->leg.forward_count > 0 || o->leg.ssh_option_count > 0;
    if (!wants_leg && o->conf_file == NULL)
        read_environment(&o->gateway);
    bool wants_gateway = o->gateway.endpoint != NULL || o->gateway.gateway != NULL;

    if (wants_gateway &&
        (wants_leg || probe != NULL || (o->gateway.endpoint != NULL && o->gateway.gateway != NULL)))
        return bad(why, "option", "--endpoint",
                   "or --gateway is for a gateway, -L for a tunnel of your own: use one of them");
    if (host_key != NULL && (problem = leg_set_host_key(&o->leg, host_key)) != NULL)
        return bad(why, "--host-key", host_key, problem);
    if (wants_gateway) {
        o->mode = OPTIONS_GATEWAY;
        read_environment(&o->gateway);
        o->gateway.host_key = host_key;
        return 0;
    }
    if (!wants_leg && o->conf_file != NULL && probe == NULL && host_key == NULL) {
        o->mode = OPTIONS_FILE;
        return 0;
    }
    o->mode = OPTIONS_LEG;
    if (optind >= argc || optind + 1 < argc) {
        (void)strlcpy(why,
                      optind >= argc ? "no [USER@]HOST is named: see 'tunnel-agent --help'"
                                     : "more than one [USER@]HOST: a tunnel runs no command",
                      OPTIONS_WHY_BYTES);
        return -1;
    }
    if (o->leg.forward_count == 0) {
        (void)strlcpy(why, "no -L is named: see 'tunnel-agent --help'", OPTIONS_WHY_BYTES);
        return -1;
    }
    if ((problem = leg_set_to(&o->leg, argv[optind])) != NULL)
        return bad(why, "host", argv[optind], problem);
    if (probe != NULL && (problem = leg_set_probe(&o->leg, probe)) != NULL)
        return bad(why, "--probe", probe, problem);
    leg_name_from_host(&o->leg);
    return 0;
}

static int parse(int argc, char **argv, struct options *ret, char why[static OPTIONS_WHY_BYTES])
{
    const char *host_key = NULL, *probe = NULL;
    int opt, rc = 0;

    optind = 0; /* getopt_long(3): start over */
    opterr = 0;
    while (rc == 0 &&
           (opt = getopt_long(argc, argv, ":dc:L:p:i:J:o:l:F:m:b:B:46CNTnqvaxkfR:D:W:w:MS:O:AXYgts",
                              longs, NULL)) != -1) {
        switch (opt) {
        case 'd':
            ret->is_service = true;
            break;
        case 'c':
            ret->conf_file = optarg;
            break;
        case OPT_HOST_KEY:
            host_key = optarg;
            break;
        case OPT_PROBE:
            probe = optarg;
            break;
        case OPT_INVITE:
            ret->invite = optarg;
            break;
        case '?':
        case ':':
            (void)snprintf(why, OPTIONS_WHY_BYTES,
                           opt == ':' ? "'%.200s' needs a value: see 'tunnel-agent --help'"
                                      : "unknown option '%.200s': see 'tunnel-agent --help'",
                           argv[optind - 1]);
            rc = -1;
            break;
        default:
            rc = opt < OPT_ENDPOINT ? parse_ssh_option(ret, opt, why)
                                    : parse_gateway_option(ret, opt, why);
        }
    }
    if (rc == 0)
        rc = decide_mode(ret, argc, argv, host_key, probe, why);
    if (rc != 0)
        options_release(ret);
    return rc;
}

int options_parse(int argc, char **argv, struct options *ret, char why[static OPTIONS_WHY_BYTES])
{
    *ret = (struct options){.mode = OPTIONS_LEG};
    if (parse(argc, argv, ret, why) != 0)
        return -1;
    if (ret->invite == NULL)
        return 0;
    options_release(ret);
    return bad(why, "option", "--invite", "is for 'tunnel-agent exec' alone");
}

int options_parse_exec(int argc, char **argv, struct options *ret,
                       char why[static OPTIONS_WHY_BYTES])
{
    *ret = (struct options){.mode = OPTIONS_LEG, .leg = {.is_for_command = true}};
    if (parse(argc, argv, ret, why) != 0)
        return -1;
    if (ret->mode == OPTIONS_LEG && !ret->is_service)
        return 0;
    options_release(ret);
    (void)strlcpy(why,
                  ret->is_service ? "-d is for a service: exec ends with its command"
                                  : "exec takes -L and [USER@]HOST: see 'tunnel-agent --help'",
                  OPTIONS_WHY_BYTES);
    return -1;
}

void options_release(struct options *o)
{
    leg_release(&o->leg);
}
