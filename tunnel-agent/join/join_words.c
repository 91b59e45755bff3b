/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/join/join_words.h"

#include "tunnel-agent/gateway/invite_word.h"
#include "tunnel-agent/config/leg.h"

#include <bsd/string.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum { OPT_HOST_KEY = 256, OPT_TARGET, OPT_NO_HOLD };

static const struct option longs[] = {
    {"host-key", required_argument, NULL, OPT_HOST_KEY},
    {"target", required_argument, NULL, OPT_TARGET},
    {"no-hold", no_argument, NULL, OPT_NO_HOLD},
    {NULL, 0, NULL, 0},
};

static int bad(char why[static WHY_BYTES], const char *what, const char *value, const char *problem)
{
    (void)snprintf(why, WHY_BYTES, "%s '%.200s' %s", what, value, problem);
    return -1;
}

static const char *set_port(struct join_words *w, const char *text)
{
    if (leg_port(text) == 0)
        return "is no port of 1-65535";
    if (w->port[0] != '\0')
        return "is a second port";
    (void)strlcpy(w->port, text, sizeof(w->port));
    return NULL;
}

const char *join_words_set_to(struct join_words *w, const char *text)
{
    char to[JOIN_TO_BYTES];
    struct leg probe = {.ssh_option_count = 0};
    if (strlcpy(to, text, sizeof(to)) >= sizeof(to))
        return "is too long";
    char *at = strrchr(to, '@'), *host = at != NULL ? at + 1 : to;
    char *close = host[0] == '[' ? strchr(host, ']') : NULL;
    char *colon = close != NULL ? (close[1] == ':' ? close + 1 : NULL) : strchr(host, ':');
    if (close == NULL && colon != NULL && strchr(colon + 1, ':') != NULL)
        colon = NULL; /* an IPv6 address alone */
    if (close != NULL && colon == NULL && close[1] != '\0')
        return "is no [USER@]HOST[:PORT]";
    if (colon != NULL) {
        const char *problem = set_port(w, colon + 1);
        if (problem != NULL)
            return problem[3] == 'n' ? "has a port that is not 1-65535"
                                     : "names a port, and -p names one as well";
        *colon = '\0';
    }
    if (close != NULL) {
        *close = '\0';
        memmove(host, host + 1, strlen(host));
    }
    const char *problem = leg_set_to(&probe, to);
    leg_release(&probe);
    if (problem == NULL)
        (void)strlcpy(w->to, to, sizeof(w->to));
    return problem;
}

static const char *target_problem(const char *text)
{
    struct leg probe = {.ssh_option_count = 0};
    char spec[400];
    const char *warning, *problem = "is no HOST:PORT";
    const char *colon = strrchr(text, ':');
    if (colon != NULL && colon != text && leg_port(colon + 1) != 0 && strlen(text) < 300) {
        (void)snprintf(spec, sizeof(spec), "1:%s", text);
        problem = leg_add_forward(&probe, spec, &warning) == NULL ? NULL : problem;
    }
    leg_release(&probe);
    return problem;
}

static int take_option(struct join_words *w, int opt, char **argv, char why[static WHY_BYTES])
{
    struct leg probe = {.ssh_option_count = 0};
    const char *problem = NULL;
    switch (opt) {
    case 'd':
        w->is_service = true;
        return 0;
    case 'p':
        problem = set_port(w, optarg);
        return problem != NULL ? bad(why, "-p", optarg, problem) : 0;
    case 'i':
        w->identity = optarg;
        return 0;
    case OPT_HOST_KEY:
        w->host_key = optarg;
        problem = leg_set_host_key(&probe, optarg);
        return problem != NULL ? bad(why, "--host-key", optarg, problem) : 0;
    case OPT_TARGET:
        w->target = optarg;
        problem = target_problem(optarg);
        return problem != NULL ? bad(why, "target", optarg, problem) : 0;
    case OPT_NO_HOLD:
        w->no_hold = true;
        return 0;
    default:
        (void)snprintf(why, WHY_BYTES,
                       opt == ':' ? "'%.200s' needs a value: see 'tunnel-agent --help'"
                                  : "join does not take '%.200s': see 'tunnel-agent --help'",
                       argv[optind - 1]);
        return -1;
    }
}

int join_words_parse(int argc, char **argv, struct join_words *ret, char why[static WHY_BYTES])
{
    struct join_words w = {.port = ""};
    int opt;
    optind = 0; /* getopt_long(3): start over */
    opterr = 0;
    while ((opt = getopt_long(argc, argv, ":dp:i:", longs, NULL)) != -1)
        if (take_option(&w, opt, argv, why) != 0)
            return -1;
    if (argc - optind != 2) {
        (void)strlcpy(why,
                      "join takes [USER@]HOST[:PORT] and the code of an invite, or @FILE, or - for "
                      "standard input: see 'tunnel-agent --help'",
                      WHY_BYTES);
        return -1;
    }
    const char *problem = join_words_set_to(&w, argv[optind]);
    if (problem != NULL)
        return bad(why, "host", argv[optind], problem);
    if (invite_word_read(argv[optind + 1], w.code, why) != 0)
        return -1;
    *ret = w;
    return 0;
}
