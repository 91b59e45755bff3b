/* SPDX-License-Identifier: ISC */
#include "leasectl/ctl_store.h"
#include "leasectl/verbs.h"

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/descriptors.h"
#include "lib/base/text.h"
#include "lib/conf/load.h"

#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void print_help(FILE *to)
{
    (void)fputs("usage: leasectl [-c FILE] [--json] COMMAND [ARGUMENT...]\n\n"
                "SSH port forwards as leases. See 'leasectl COMMAND --help' and leasectl(1).\n\n",
                to);
    for (const struct verb *v = verbs; v->name != NULL; v++)
        (void)fprintf(to, "  %-12s %.*s\n", v->name, (int)strcspn(v->help, "\n"), v->help);
    (void)fputs("\n  -c FILE      configuration (default " CONF_DEFAULT_FILE ")\n"
                "  --json       JSON in place of tables\n"
                "  --help       this text\n"
                "  --version    the version\n",
                to);
}

static const struct verb *find_verb(const char *name)
{
    for (const struct verb *v = verbs; v->name != NULL; v++)
        if (strcmp(v->name, name) == 0)
            return v;
    return NULL;
}

static void print_verb_help(const struct verb *v)
{
    (void)printf("usage: leasectl [-c FILE] [--json] %s\n\n%s", v->usage, v->help);
}

/* Who runs this, for the audit: the uid, the kernel's login uid and SUDO_USER. All three, since
 * each alone can be somebody else's. */
static void set_actor(struct ctl *ctl)
{
    char loginuid[16] = "";
    const char *sudo = getenv("SUDO_USER");
    FILE *f = fopen("/proc/self/loginuid", "re");
    if (f != NULL) {
        if (fgets(loginuid, sizeof(loginuid), f) == NULL || strcmp(loginuid, "4294967295") == 0)
            loginuid[0] = '\0';
        (void)fclose(f);
    }
    if (sudo != NULL && lease_name_problem(sudo) != NULL)
        sudo = "?";
    (void)snprintf(ctl->actor, sizeof(ctl->actor), "uid=%u%s%s%s%s", getuid(),
                   loginuid[0] != '\0' ? " loginuid=" : "", loginuid, sudo != NULL ? " sudo=" : "",
                   sudo != NULL ? sudo : "");
}

/* True for what ends something, or finds what to end: a wrong line of the configuration must not
 * stop that. Whatever grants is strict. */
static bool tolerates_bad_conf(const char *verb, const char *next_word)
{
    static const struct {
        const char *verb, *next_word; /* NULL: whatever comes next */
    } tolerant[] = {{"revoke", NULL},   {"freeze", NULL},    {"kill", NULL},
                    {"sessions", NULL}, {"list", NULL},      {"delete", NULL},
                    {"key", "remove"},  {"token", "revoke"}, {"token", "list"}};
    for (size_t i = 0; i < sizeof(tolerant) / sizeof(tolerant[0]); i++)
        if (strcmp(tolerant[i].verb, verb) == 0 &&
            (tolerant[i].next_word == NULL ||
             (next_word != NULL && strcmp(tolerant[i].next_word, next_word) == 0)))
            return true;
    return false;
}

static int load_conf(struct ctl *ctl, bool tolerant)
{
    struct buf problems = {0}, warnings = {0};
    const char *rest, *line;
    int len;
    int rc = conf_load(ctl->conf_file, &ctl->conf, &problems, &warnings);
    if (rc != 0 && tolerant) {
        buf_release(&problems);
        buf_release(&warnings);
        rc = conf_load_tolerant(ctl->conf_file, &ctl->conf, &problems);
        ctl->conf_is_partial = rc == 0;
    }
    rest = buf_text(&problems);
    while ((line = text_next_line(&rest, &len)) != NULL)
        if (rc != 0)
            (void)ctl_error(ctl, EXIT_FAILED, "cannot use the configuration: %.*s", len, line);
        else
            ctl_warn(ctl, "%.*s", len, line);
    rest = rc == 0 ? buf_text(&warnings) : NULL;
    while ((line = text_next_line(&rest, &len)) != NULL)
        ctl_warn(ctl, "%.*s", len, line);
    buf_release(&problems);
    buf_release(&warnings);
    return rc;
}

/* True with optind at the command; false: *ret_code is the exit code. */
static bool parse_options(struct ctl *ctl, int argc, char **argv, int *ret_code)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {"version", no_argument, NULL, 'V'},
                                            {NULL, 0, NULL, 0}};
    int opt;
    while ((opt = getopt_long(argc, argv, "+:c:", options, NULL)) != -1) {
        switch (opt) {
        case 'c':
            ctl->conf_file = optarg;
            break;
        case 'j':
            ctl->json = true;
            break;
        case 'h':
            print_help(stdout);
            *ret_code = ctl_finish(ctl, EXIT_DONE);
            return false;
        case 'V':
            (void)puts("leasectl (tunlease) " TUNLEASE_VERSION);
            *ret_code = ctl_finish(ctl, EXIT_DONE);
            return false;
        default:
            (void)ctl_checked_option(ctl, opt, argc, argv);
            *ret_code = EXIT_USAGE;
            return false;
        }
    }
    return true;
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0)
            return true;
    return false;
}

static int run_verb(struct ctl *ctl, const struct verb *verb, int argc, char **argv)
{
    ctl->terminal = isatty(STDOUT_FILENO) == 1;
    ctl->colour = ctl->terminal && getenv("NO_COLOR") == NULL;
    ctl->now_s = clock_now_s();
    set_actor(ctl);
    if (load_conf(ctl, tolerates_bad_conf(verb->name, argc > 1 ? argv[1] : NULL)) != 0)
        return EXIT_FAILED;
    optind = 0; /* getopt_long(3): start over */
    int code = verb->run(ctl, argc, argv);
    ctl_close(ctl);
    conf_release(&ctl->conf);
    return ctl_finish(ctl, code);
}

int main(int argc, char **argv)
{
    struct ctl ctl = {.verb = NULL};
    int code;

    descriptors_open_standard();
    descriptors_raise_limit();
    (void)signal(SIGPIPE, SIG_IGN); /* a failed write is an error with a message */
    if (!parse_options(&ctl, argc, argv, &code))
        return code;
    if (optind >= argc) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    const struct verb *verb = find_verb(argv[optind]);
    if (verb == NULL)
        return ctl_error(&ctl, EXIT_USAGE, "no such command '%s': see 'leasectl --help'",
                         text_clip(argv[optind]).s);
    ctl.verb = verb->name;
    argc -= optind;
    argv += optind;
    if (wants_help(argc, argv)) {
        print_verb_help(verb);
        return ctl_finish(&ctl, EXIT_DONE);
    }
    return run_verb(&ctl, verb, argc, argv);
}
