/* SPDX-License-Identifier: ISC */
#include "leasectl/ctl.h"

#include "lib/base/buf.h"
#include "lib/base/nearest.h"
#include "lib/base/text.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE_BYTES = 1500 };

const char *const ctl_common_options[] = {"json", "help", "version", NULL};

static void print_message(const struct ctl *ctl, const char *kind, const char *fmt, va_list ap)
{
    struct buf raw = {0}, line = {0};
    if (ctl->muted)
        return;
    buf_vaddf(&raw, fmt, ap);
    text_shorten(&raw, MESSAGE_BYTES); /* a backstop: the caller clips long arguments */
    text_add_escaped(&line, buf_text_or(&raw, "out of memory"));
    (void)fprintf(stderr, "leasectl: %s%s%s%s\n", ctl->verb != NULL ? ctl->verb : "",
                  ctl->verb != NULL ? ": " : "", kind, buf_text_or(&line, "out of memory"));
    buf_release(&raw);
    buf_release(&line);
}

const char *ctl_conf_name(const struct ctl *ctl)
{
    return ctl->conf_file != NULL ? ctl->conf_file : CONF_DEFAULT_FILE;
}

int ctl_error(const struct ctl *ctl, int code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    print_message(ctl, "", fmt, ap);
    va_end(ap);
    return code;
}

void ctl_warn(const struct ctl *ctl, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    print_message(ctl, "warning: ", fmt, ap);
    va_end(ap);
}

int ctl_usage(const struct ctl *ctl, const char *why)
{
    return ctl_error(ctl, EXIT_USAGE, "%s: see 'leasectl %s%s--help'", why,
                     ctl->verb != NULL ? ctl->verb : "", ctl->verb != NULL ? " " : "");
}

int ctl_finish(const struct ctl *ctl, int code)
{
    char done[sizeof(ctl->changed) + 64] = "";
    errno = 0;
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return code;
    const char *why = errno == EBADF ? "standard output is closed"
                      : errno != 0   ? strerror(errno)
                                     : "a part of it is lost";
    if (ctl->changes == 1)
        (void)snprintf(done, sizeof(done), "this is done: %s; but ", ctl->changed);
    else if (ctl->changes > 1)
        (void)snprintf(done, sizeof(done), "%u changes are done, the last: %s; but ", ctl->changes,
                       ctl->changed);
    return ctl_error(ctl, code != EXIT_DONE ? code : EXIT_FAILED, "%scannot write the output: %s",
                     done, why);
}

void ctl_changed(struct ctl *ctl, const char *fmt, ...)
{
    va_list ap;
    if (ctl->rehearsal != NULL)
        return;
    va_start(ap, fmt);
    (void)vsnprintf(ctl->changed, sizeof(ctl->changed), fmt, ap);
    va_end(ap);
    ctl->changes++;
}

/* True within a word of several short options, such as -xy: optind is not past that word yet. */
static bool within_word(int argc, char **argv)
{
    return optind < argc && argv[optind][0] == '-' && argv[optind][1] == (char)optopt &&
           argv[optind][2] != '\0';
}

/* Adds the options that word, an unknown one, is near to. One dash in front of a long option counts
 * as its mistake. */
static void add_near_options(const char *word, const struct option *options, struct buf *out)
{
    struct nearest n;
    char typed[NEAREST_WORD_BYTES + 2];
    size_t dashes = strspn(word, "-"), len = strcspn(word + dashes, "=");
    if (len >= sizeof(typed))
        return;
    (void)snprintf(typed, sizeof(typed), "%.*s", (int)len, word + dashes);
    nearest_init(&n, typed);
    for (const struct option *o = options; o->name != NULL; o++)
        nearest_offer(&n, o->name);
    for (const char *const *w = ctl_common_options; *w != NULL; w++)
        nearest_offer(&n, *w);
    nearest_add_question(&n, "--", out);
}

int ctl_checked_option(const struct ctl *ctl, int opt, int argc, char **argv,
                       const struct option *options)
{
    struct buf why = {0};
    char letter[] = {'-', (char)optopt, '\0'};
    if (opt != '?' && opt != ':')
        return opt;
    bool inside = within_word(argc, argv);
    const char *word = argv[inside ? optind : optind - 1];
    bool is_long = strncmp(word, "--", 2) == 0 && (optopt == 0 || !inside);
    const struct text_clip shown = text_clip(is_long ? word : letter);
    buf_addf(&why,
             opt == ':'               ? "'%s' needs a value"
             : is_long && optopt != 0 ? "'%s': this option takes no value"
                                      : "unknown option '%s'",
             shown.s);
    if (opt == '?' && (optopt == 0 || !is_long))
        add_near_options(word, options, &why);
    (void)ctl_usage(ctl, buf_text_or(&why, "out of memory"));
    buf_release(&why);
    return '?';
}

int ctl_option(const struct ctl *ctl, int argc, char **argv, const struct option *options)
{
    /* Without the leading ':' getopt_long would print errors in words of its own. */
    return ctl_checked_option(ctl, getopt_long(argc, argv, ":", options, NULL), argc, argv,
                              options);
}
