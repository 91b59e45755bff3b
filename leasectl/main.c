/* SPDX-License-Identifier: ISC */
#include "leasectl/ctl_store.h"
#include "leasectl/help.h"
#include "leasectl/usage.h"
#include "leasectl/verbs.h"

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/descriptors.h"
#include "lib/base/nearest.h"
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

/* NULL: there is none, which was printed. */
static const struct verb *find_verb(const struct ctl *ctl, const char *name)
{
    struct nearest near;
    struct buf question = {0};
    nearest_init(&near, name);
    for (const struct verb *v = verbs; v->name != NULL; v++) {
        if (strcmp(v->name, name) == 0)
            return v;
        nearest_offer(&near, v->name);
    }
    nearest_add_question(&near, "", &question);
    (void)ctl_error(ctl, EXIT_USAGE, "no such command '%s'%s: see 'leasectl --help'",
                    text_clip(name).s, buf_text_or(&question, ""));
    buf_release(&question);
    return NULL;
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
    } tolerant[] = {{"revoke", NULL},  {"freeze", NULL},    {"kill", NULL},    {"sessions", NULL},
                    {"top", NULL},     {"list", NULL},      {"audit", NULL},   {"delete", NULL},
                    {"key", "remove"}, {"token", "revoke"}, {"token", "list"}, {"invite", "revoke"},
                    {"invite", "list"}};
    for (size_t i = 0; i < sizeof(tolerant) / sizeof(tolerant[0]); i++)
        if (strcmp(tolerant[i].verb, verb) == 0 &&
            (tolerant[i].next_word == NULL ||
             (next_word != NULL && strcmp(tolerant[i].next_word, next_word) == 0)))
            return true;
    return false;
}

/* True for what asks nothing of this host: it runs with any configuration, and with none. */
static bool needs_no_conf(const char *verb)
{
    return strcmp(verb, "lint") == 0;
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

/* What the options that every command has ask for, in place of running it. */
enum asked { ASKED_RUN, ASKED_HELP, ASKED_VERSION, ASKED_WRONGLY };

/* The options before the command. optind is at the command then. */
static enum asked parse_options(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {"version", no_argument, NULL, 'V'},
                                            {NULL, 0, NULL, 0}};
    enum asked asked = ASKED_RUN;
    int opt;
    while ((opt = getopt_long(argc, argv, "+:c:h", options, NULL)) != -1) {
        switch (opt) {
        case 'c':
            ctl->conf_file = optarg;
            break;
        case 'j':
            ctl->json = true;
            break;
        case 'h':
        case 'V':
            if (asked == ASKED_RUN)
                asked = opt == 'h' ? ASKED_HELP : ASKED_VERSION;
            break;
        default:
            (void)ctl_checked_option(ctl, opt, argc, argv, options);
            return ASKED_WRONGLY;
        }
    }
    return asked;
}

/*
 * Takes the options that every command has out of the arguments of v: those that are no value of
 * another option, and do not stand behind "--". The first of --help and --version counts.
 */
static enum asked take_common_options(struct ctl *ctl, const struct verb *v, int *argc, char **argv)
{
    enum asked asked = ASKED_RUN;
    int kept = 1, i = 1;
    for (; i < *argc && strcmp(argv[i], "--") != 0; i++) {
        bool help = strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0;
        bool version = strcmp(argv[i], "--version") == 0;
        if (strcmp(argv[i], "--json") == 0) {
            ctl->json = true;
        } else if (help || version) {
            if (asked == ASKED_RUN)
                asked = help ? ASKED_HELP : ASKED_VERSION;
        } else {
            bool takes_next = usage_takes_next_word(v, argv[i]) && i + 1 < *argc;
            argv[kept++] = argv[i];
            if (takes_next)
                argv[kept++] = argv[++i];
        }
    }
    while (i < *argc)
        argv[kept++] = argv[i++];
    argv[kept] = NULL;
    *argc = kept;
    return asked;
}

/* "list help", "token version": the same, from who puts the command last. Where the word can be a
 * name it is one: a lease may be called help. */
static enum asked asked_by_word(const struct verb *v, int argc, char **argv)
{
    if (argc != 2 || usage_takes_name(v))
        return ASKED_RUN;
    return strcmp(argv[1], "help") == 0      ? ASKED_HELP
           : strcmp(argv[1], "version") == 0 ? ASKED_VERSION
                                             : ASKED_RUN;
}

/* The first argument that is no option and no value of one; NULL: there is none. */
static const char *first_word(const struct verb *v, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0)
            return i + 1 < argc ? argv[i + 1] : NULL;
        if (argv[i][0] != '-' || argv[i][1] == '\0')
            return argv[i];
        i += usage_takes_next_word(v, argv[i]);
    }
    return NULL;
}

/* False if a command of the verb's own is mistyped, as in "token crate": that was asked back. */
static bool check_second_word(const struct ctl *ctl, const struct verb *v, int argc, char **argv)
{
    const char *word = first_word(v, argc, argv);
    struct usage_commands words;
    struct nearest near;
    struct buf question = {0};
    if (word == NULL || usage_has_command(v, word, &words, &near) || near.count == 0)
        return true; /* what is near to nothing is left to the verb, which says what it takes */
    nearest_add_question(&near, "", &question);
    (void)ctl_error(ctl, EXIT_USAGE, "no such command '%s'%s: see 'leasectl %s --help'",
                    text_clip(word).s, buf_text_or(&question, ""), v->name);
    buf_release(&question);
    return false;
}

static int run_verb(struct ctl *ctl, const struct verb *verb, int argc, char **argv)
{
    ctl->terminal = isatty(STDOUT_FILENO) == 1;
    ctl->colour = ctl->terminal && getenv("NO_COLOR") == NULL;
    ctl->now_s = clock_now_s();
    set_actor(ctl);
    if (!needs_no_conf(verb->name) &&
        load_conf(ctl, tolerates_bad_conf(verb->name, argc > 1 ? argv[1] : NULL)) != 0)
        return EXIT_FAILED;
    optind = 0; /* getopt_long(3): start over */
    int code = verb->run(ctl, argc, argv);
    ctl_close(ctl);
    conf_release(&ctl->conf);
    return ctl_finish(ctl, code);
}

/* "leasectl help" and "leasectl version", which need no configuration. */
static int run_builtin(struct ctl *ctl, const struct verb *verb, int argc, char **argv)
{
    static const struct option none[] = {{NULL, 0, NULL, 0}};
    optind = 0;
    if (ctl_option(ctl, argc, argv, none) != -1)
        return EXIT_USAGE;
    bool help = strcmp(verb->name, "help") == 0;
    if (argc - optind > (help ? 1 : 0))
        return ctl_usage(ctl, help ? "help takes one COMMAND, or none" : "version takes no words");
    const struct verb *about = help && optind < argc ? find_verb(ctl, argv[optind]) : verb;
    if (about == NULL)
        return EXIT_USAGE;
    if (!help)
        help_print_version();
    else if (optind < argc)
        help_print_verb(about);
    else
        help_print_all(stdout);
    return ctl_finish(ctl, EXIT_DONE);
}

int main(int argc, char **argv)
{
    struct ctl ctl = {.verb = NULL};

    descriptors_open_standard();
    descriptors_raise_limit();
    (void)signal(SIGPIPE, SIG_IGN); /* a failed write is an error with a message */
    enum asked asked = parse_options(&ctl, argc, argv);
    if (asked == ASKED_WRONGLY)
        return EXIT_USAGE;
    if (asked == ASKED_VERSION) {
        help_print_version();
        return ctl_finish(&ctl, EXIT_DONE);
    }
    if (optind >= argc) {
        help_print_all(asked == ASKED_HELP ? stdout : stderr);
        return asked == ASKED_HELP ? ctl_finish(&ctl, EXIT_DONE) : EXIT_USAGE;
    }
    const struct verb *verb = find_verb(&ctl, argv[optind]);
    if (verb == NULL)
        return EXIT_USAGE;
    ctl.verb = verb->name;
    argc -= optind;
    argv += optind;
    enum asked asked_after = take_common_options(&ctl, verb, &argc, argv);
    if (asked_after == ASKED_RUN)
        asked_after = asked_by_word(verb, argc, argv);
    if (asked == ASKED_HELP || asked_after == ASKED_HELP) {
        help_print_verb(verb);
        return ctl_finish(&ctl, EXIT_DONE);
    }
    if (asked_after == ASKED_VERSION) {
        help_print_version();
        return ctl_finish(&ctl, EXIT_DONE);
    }
    if (verb->run == NULL)
        return run_builtin(&ctl, verb, argc, argv);
    if (!check_second_word(&ctl, verb, argc, argv))
        return EXIT_USAGE;
    return run_verb(&ctl, verb, argc, argv);
}
