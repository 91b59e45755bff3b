/* SPDX-License-Identifier: ISC */
/* leasectl lint: what each line of an authorized_keys file really allows. Needs no root, no store
 * and no configuration. */
#include "leasectl/ctl.h"
#include "leasectl/lint/findings.h"
#include "leasectl/lint/lines.h"
#include "leasectl/lint/report.h"
#include "leasectl/verbs.h"
#include "lib/base/text.h"
#include "lib/lease/authorized/line.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEYS_MAX = 1000000 }; /* that are compared with each other: some 150 MB */

struct lint {
    struct ctl *ctl;
    struct lint_report report;
    struct lint_findings findings;
    struct authorized_seen seen;
    bool utf16;              /* the file is */
    unsigned long crlf_line; /* the first line that ends in CR; 0: none */
    bool too_many, no_memory;
};

/* Of the file as a whole, said once: at the first line that shows it. */
static void find_in_file(struct lint *lint, unsigned long line_no, const char *line, size_t len,
                         const struct authorized_line *l)
{
    if (line_no == 1 && len >= 2 &&
        (memcmp(line, "\xff\xfe", 2) == 0 || memcmp(line, "\xfe\xff", 2) == 0)) {
        lint->utf16 = true;
        lint->findings.count = 0;
        lint_add(&lint->findings, "utf16", "sshd reads bytes, up to the first NUL of each line",
                 "iconv -f UTF-16 -t UTF-8 FILE",
                 "the file is UTF-16: sshd finds no key in what is written so");
    }
    if (l->has_cr && lint->crlf_line == 0 && !lint->utf16) {
        lint->crlf_line = line_no;
        lint_add(&lint->findings, "crlf",
                 "harmless, since sshd takes the CR for a part of the comment; further lines are "
                 "not named",
                 "tr -d '\\r' <FILE", "the line ends in CR LF");
    }
}

static int read_line(void *ctx, unsigned long line_no, const char *line, size_t len)
{
    struct lint *lint = ctx;
    struct authorized_line l;
    struct authorized_earlier earlier = {.line_no = 0};
    if (authorized_line_read(line, len, &l) != 0) {
        lint->no_memory = true;
        return -1;
    }
    lint->too_many = lint->seen.count >= KEYS_MAX;
    bool fine = !lint->too_many &&
                authorized_seen_add(&lint->seen, &l, line_no, lint->ctl->now_s, &earlier);
    if (fine) {
        lint_line(&l, &earlier, lint->ctl->now_s, &lint->findings);
        if (lint->utf16 && l.has_nul)
            lint->findings.count = 0; /* said once */
        find_in_file(lint, line_no, line, len, &l);
        fine = lint_report_line(&lint->report, line_no, &l, &lint->findings);
    }
    lint->no_memory = !fine && !lint->too_many;
    authorized_line_release(&l);
    return fine ? 0 : -1;
}

/* Opens nothing that could make us wait, or that has no end. -1: an error was printed. */
static int open_file(const struct ctl *ctl, const char *path)
{
    struct stat st;
    if (strcmp(path, "-") == 0)
        return STDIN_FILENO;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        (void)ctl_error(ctl, EXIT_USAGE, "cannot read '%s': %s", text_clip(path).s,
                        strerror(errno));
    } else if (!S_ISREG(st.st_mode)) {
        (void)ctl_error(ctl, EXIT_USAGE, "'%s' is %s: 'leasectl lint -' reads standard input",
                        text_clip(path).s, S_ISDIR(st.st_mode) ? "a directory" : "not a file");
    } else {
        return fd;
    }
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

static int finish(const struct lint *lint, const char *path, enum lint_lines_rc rc, int read_errno)
{
    const struct ctl *ctl = lint->ctl;
    const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
    if (rc == LINT_LINES_ERROR)
        return ctl_error(ctl, EXIT_USAGE, "cannot read '%s': %s", text_clip(name).s,
                         strerror(read_errno));
    if (rc == LINT_LINES_TOO_LARGE)
        return ctl_error(ctl, EXIT_USAGE,
                         "'%s' is larger than 128 MiB: sshd would read all of it at each login, "
                         "and its rest was not judged",
                         text_clip(name).s);
    if (lint->too_many)
        return ctl_error(ctl, EXIT_USAGE,
                         "'%s' has more than a million keys: its rest was not judged",
                         text_clip(name).s);
    if (lint->no_memory)
        return ctl_error(ctl, EXIT_USAGE, "out of memory: the rest was not judged");
    return lint->report.findings > 0 ? EXIT_FAILED : EXIT_DONE;
}

int cmd_lint(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {{NULL, 0, NULL, 0}};
    struct lint lint = {.ctl = ctl};
    if (ctl_option(ctl, argc, argv, options) != -1)
        return EXIT_USAGE;
    if (argc - optind != 1)
        return ctl_usage(ctl, "lint takes one FILE, or - for standard input");
    const char *path = argv[optind];
    int fd = open_file(ctl, path);
    if (fd < 0)
        return EXIT_USAGE;
    lint_report_begin(&lint.report, ctl);
    enum lint_lines_rc rc = lint_lines_read(fd, read_line, &lint);
    int read_errno = errno;
    lint_report_end(&lint.report, rc == LINT_LINES_OK);
    if (fd != STDIN_FILENO)
        (void)close(fd);
    authorized_seen_release(&lint.seen);
    return finish(&lint, path, rc, read_errno);
}
