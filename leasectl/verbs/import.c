/* SPDX-License-Identifier: ISC */
/* leasectl import: gives each line of an authorized_keys file a lease. */
#include "leasectl/ctl_store.h"
#include "leasectl/host/account.h"
#include "leasectl/host/sshd.h"
#include "leasectl/host/sshd_zone.h"
#include "leasectl/lease/terms.h"
#include "leasectl/moving/moving.h"
#include "leasectl/moving/show.h"
#include "leasectl/verbs.h"
#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/lease/name.h"

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 128 * 1024 * 1024 };

struct import {
    const char *file;
    const char *login;
    int64_t expires_s;
    bool dry_run;
    char *text; /* owned */
    size_t len;
};

static int parse_arguments(struct ctl *ctl, int argc, char **argv, struct import *ret)
{
    static const struct option options[] = {{"login", required_argument, NULL, 'l'},
                                            {"for", required_argument, NULL, 'f'},
                                            {"dry-run", no_argument, NULL, 'n'},
                                            {NULL, 0, NULL, 0}};
    int opt, code = EXIT_DONE;
    while (code == EXIT_DONE && (opt = ctl_option(ctl, argc, argv, options)) != -1)
        switch (opt) {
        case 'l':
            ret->login = optarg;
            break;
        case 'f':
            code = terms_parse_for(ctl, optarg, &ret->expires_s);
            break;
        case 'n':
            ret->dry_run = true;
            break;
        default:
            return EXIT_USAGE;
        }
    if (code != EXIT_DONE)
        return code;
    if (argc - optind != 1)
        return ctl_usage(ctl, "import takes one FILE");
    if (ret->login == NULL)
        return ctl_usage(ctl, "--login is missing: name the login that the file is of");
    ret->file = argv[optind];
    if (ret->expires_s == 0)
        ret->expires_s = ctl->now_s + ctl->conf.default_ttl_s;
    return terms_check_end(ctl, ret->expires_s);
}

/*
 * A login that setup has yet to take over is in no tunnel group, and must not be: with pam_tunnel
 * in place its friends would be locked out until they have leases. So it may have leases before.
 */
static int check_login(struct ctl *ctl, const char *login)
{
    const char *problem = login_name_problem(login);
    if (problem == NULL)
        problem = account_lease_problem(login, ctl->conf.tunnel_group);
    if (problem != NULL && account_setup_would_adopt(&ctl->conf, login))
        problem = NULL;
    return problem == NULL
               ? EXIT_DONE
               : ctl_error(ctl, EXIT_USAGE, "login '%s' %s", text_clip(login).s, problem);
}

/* ---- the file ---- */

static int read_open_file(struct ctl *ctl, int fd, struct import *in)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return ctl_error(ctl, EXIT_USAGE, "'%s' is not a file", text_clip(in->file).s);
    if (st.st_size > FILE_BYTES_MAX)
        return ctl_error(ctl, EXIT_USAGE, "'%s' is larger than 128 MiB: cut it into parts",
                         text_clip(in->file).s);
    in->text = malloc((size_t)st.st_size + 1);
    if (in->text == NULL)
        return ctl_error(ctl, EXIT_FAILED, "out of memory");
    while (in->len < (size_t)st.st_size) {
        ssize_t n = read(fd, in->text + in->len, (size_t)st.st_size - in->len);
        if (n < 0)
            return ctl_error(ctl, EXIT_FAILED, "cannot read '%s': %s", text_clip(in->file).s,
                             strerror(errno));
        if (n == 0)
            break;
        in->len += (size_t)n;
    }
    return EXIT_DONE;
}

static int read_file(struct ctl *ctl, struct import *in)
{
    /* O_NONBLOCK: to open a FIFO that nobody writes to must not make us wait. */
    const int fd = open(in->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return ctl_error(ctl, EXIT_USAGE, "cannot read '%s': %s", text_clip(in->file).s,
                         strerror(errno));
    int code = read_open_file(ctl, fd, in);
    (void)close(fd);
    return code;
}

/* ---- the time zone ---- */

static bool has_ends(const struct import *in)
{
    static const char option[] = "expiry-time";
    for (size_t i = 0; i + sizeof(option) <= in->len; i++)
        if (text_lower(in->text[i]) == option[0] &&
            strncasecmp(in->text + i, option, sizeof(option) - 1) == 0)
            return true;
    return false;
}

/* A local end means sshd's time zone. In another one the lease could outlive its line: false where
 * it is not known, which is said. */
static bool use_zone_of_sshd(struct ctl *ctl, const struct import *in)
{
    struct sshd sshd;
    struct sshd_zone zone;
    struct buf why = {0};
    if (!has_ends(in))
        return true;
    if (geteuid() != 0)
        buf_add(&why, "only root can ask it");
    const bool is_known = geteuid() == 0 && sshd_find(&ctl->conf, &sshd, &why) == 0 &&
                          sshd_query_zone(&sshd, &zone, &why) == 0;
    if (!is_known)
        ctl_warn(ctl, "sshd's time zone is not known, so no end in local time can be kept: %s",
                 buf_text_or(&why, "out of memory"));
    else if (zone.is_set)
        (void)setenv("TZ", zone.tz, 1);
    else
        (void)unsetenv("TZ");
    tzset();
    buf_release(&why);
    return is_known;
}

/* ---- the store ---- */

/* A store that leasectl makes gets the owner of its directory, which setup makes. */
static int open_store(struct ctl *ctl, const struct import *in)
{
    struct stat st;
    const bool is_there = stat(ctl->conf.paths.database, &st) == 0 || errno != ENOENT;
    if (is_there || account_in_group(in->login, ctl->conf.tunnel_group))
        return in->dry_run ? (is_there ? ctl_open_read(ctl) : EXIT_DONE) : ctl_open_write(ctl);
    return in->dry_run ? EXIT_DONE
                       : ctl_error(ctl, EXIT_STORE,
                                   "there is no store yet: run 'leasectl setup' first, which makes "
                                   "it, and stops before it touches login '%s'",
                                   in->login);
}

/* What is left out is an error, though all the rest is in. */
static int judge(struct ctl *ctl, const struct moving *m)
{
    const size_t refused = m->counts[MOVE_REFUSED], conflicts = m->counts[MOVE_CONFLICT];
    const size_t left_out = refused + conflicts;
    if (left_out == 0)
        return EXIT_DONE;
    return ctl_error(ctl, refused > 0 ? EXIT_FAILED : EXIT_CONFLICT,
                     "%zu line%s that let%s somebody in today %s out: see 'refused' and 'conflict' "
                     "above, and 'leasectl grant'",
                     left_out, left_out == 1 ? "" : "s", left_out == 1 ? "s" : "",
                     m->dry_run      ? "would be left"
                     : left_out == 1 ? "was left"
                                     : "were left");
}

int cmd_import(struct ctl *ctl, int argc, char **argv)
{
    struct import in = {.file = NULL};
    struct moving_show show;
    bool is_zone_known = true;
    int code = parse_arguments(ctl, argc, argv, &in);
    if (code == EXIT_DONE)
        code = check_login(ctl, in.login);
    if (code == EXIT_DONE)
        code = read_file(ctl, &in);
    if (code == EXIT_DONE) {
        is_zone_known = use_zone_of_sshd(ctl, &in);
        code = open_store(ctl, &in);
    }
    if (code != EXIT_DONE)
        goto out;
    moving_show_init(&show, ctl, in.dry_run);
    struct moving m = {.ctl = ctl,
                       .terms = {.conf = &ctl->conf,
                                 .login = in.login,
                                 .now_s = ctl->now_s,
                                 .expires_s = in.expires_s,
                                 .is_zone_unknown = !is_zone_known},
                       .file = in.file,
                       .dry_run = in.dry_run,
                       .report = moving_show_line,
                       .ctx = &show};
    code = moving_run(&m, in.text, in.len);
    int shown = moving_show_end(&show, &m, code == EXIT_DONE);
    if (code == EXIT_DONE)
        code = shown == EXIT_DONE ? judge(ctl, &m) : shown;
    moving_release(&m);
    moving_show_release(&show);
out:
    free(in.text);
    return code;
}
