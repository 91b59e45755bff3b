/* SPDX-License-Identifier: ISC */
/* leasectl backup: a copy of the store in one file, while everything runs. */
#include "leasectl/ctl_store.h"
#include "leasectl/show/json.h"
#include "leasectl/show/percent.h"
#include "leasectl/verbs.h"
#include "lib/base/fresh_file.h"
#include "lib/base/hex.h"
#include "lib/base/text.h"
#include "lib/store/backup/copy.h"
#include "lib/store/connection.h"
#include "lib/wire/json.h"

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { BACKUP_MODE = 0640 };

struct target {
    const char *file;
    char dir[CONF_PATH_BYTES];
    const char *name;
    bool overwrite;
};

static int split_path(const struct ctl *ctl, struct target *t)
{
    const char *slash = strrchr(t->file, '/');
    t->name = slash != NULL ? slash + 1 : t->file;
    if (strlcpy(t->dir, slash != NULL ? t->file : ".", sizeof(t->dir)) >= sizeof(t->dir))
        return ctl_error(ctl, EXIT_USAGE, "the path '%s' is too long", text_clip(t->file).s);
    if (slash != NULL)
        t->dir[slash == t->file ? 1 : slash - t->file] = '\0';
    if (t->name[0] == '\0' || strcmp(t->name, ".") == 0 || strcmp(t->name, "..") == 0)
        return ctl_error(ctl, EXIT_USAGE, "'%s' names no file: it must not end in a directory",
                         text_clip(t->file).s);
    if (strcmp(t->file, "-") == 0)
        return ctl_error(ctl, EXIT_USAGE,
                         "a backup is checked before it is complete, so it cannot go to standard "
                         "output: give a FILE");
    return EXIT_DONE;
}

/* True if the file would lie where the files of the store do. */
static bool is_of_store(const struct ctl *ctl, const struct target *t, int dir_fd)
{
    char store_dir[CONF_PATH_BYTES];
    struct stat there, here;
    const char *database = strrchr(ctl->conf.paths.database, '/') + 1;
    ctl_store_directory(ctl, store_dir);
    return strncmp(t->name, database, strlen(database)) == 0 && stat(store_dir, &there) == 0 &&
           fstat(dir_fd, &here) == 0 && there.st_ino == here.st_ino && there.st_dev == here.st_dev;
}

/* As root, or whoever runs this: the file is the admin's, not the store's. */
static int open_target(const struct ctl *ctl, const struct target *t, struct fresh_file *ret)
{
    struct stat sb;
    if (fresh_file_open(t->dir, t->name, ret) != 0)
        return ctl_error(ctl, EXIT_FAILED, "cannot make a file in '%s': %s", text_clip(t->dir).s,
                         strerror(errno));
    if (is_of_store(ctl, t, ret->dir_fd))
        return ctl_error(ctl, EXIT_USAGE,
                         "'%s' is a name of the store's own files: give another name or directory",
                         text_clip(t->file).s);
    if (fstatat(ret->dir_fd, t->name, &sb, AT_SYMLINK_NOFOLLOW) != 0)
        return EXIT_DONE;
    if (!S_ISREG(sb.st_mode))
        return ctl_error(ctl, EXIT_CONFLICT, "'%s' is there, and is no regular file",
                         text_clip(t->file).s);
    if (!t->overwrite)
        return ctl_error(ctl, EXIT_CONFLICT,
                         "'%s' is there already: give another name, or --overwrite",
                         text_clip(t->file).s);
    return EXIT_DONE;
}

static int copy_store(struct ctl *ctl, int fd, struct store_contents *ret)
{
    char err[STORE_ERROR_BYTES];
    struct percent percent;
    int code = ctl_open_read(ctl);
    if (code != EXIT_DONE)
        return code;
    percent_begin(&percent, "backup");
    enum store_rc rc = store_copy(ctl->store, fd, percent_show, &percent, ret, err);
    percent_end(&percent);
    ctl_close(ctl);
    if (rc == STORE_OK)
        return EXIT_DONE;
    return ctl_error(ctl, rc == STORE_FAIL || rc == STORE_BUSY ? EXIT_STORE : EXIT_FAILED,
                     "%s; no backup was made%s", err,
                     rc == STORE_NONE ? ": see 'leasectl doctor'" : "");
}

static int print(struct ctl *ctl, const struct target *t, const struct store_contents *c,
                 int64_t bytes)
{
    char head[2 * AUDIT_HASH_BYTES + 1], file[4 * CONF_PATH_BYTES];
    (void)text_escape(file, sizeof(file), t->file);
    hex_encode(c->audit.head, AUDIT_HASH_BYTES, head);
    if (!ctl->json) {
        text_print(stdout,
                   "backed up to %s: %" PRId64 " lease%s, %" PRId64 " agent%s, %" PRId64
                   " bytes, checked",
                   t->file, c->grants, c->grants == 1 ? "" : "s", c->agents,
                   c->agents == 1 ? "" : "s", bytes);
        (void)printf("audit #%" PRId64 " %s\n", c->audit.last_seq, head);
        return EXIT_DONE;
    }
    const struct json_field fields[] = {
        {.name = "file", .text = file},
        {.name = "bytes", .is_number = true, .number = bytes},
        {.name = "version", .is_number = true, .number = c->version},
        {.name = "leases", .is_number = true, .number = c->grants},
        {.name = "agents", .is_number = true, .number = c->agents},
        {.name = "freezes", .is_number = true, .number = c->freezes},
        {.name = "keys", .is_number = true, .number = c->keys},
        {.name = "tokens", .is_number = true, .number = c->tokens},
        {.name = "audit_rows", .is_number = true, .number = c->audit.rows},
        {.name = "audit_last", .is_number = true, .number = c->audit.last_seq},
        {.name = "audit_head", .text = head}};
    return show_json_object(ctl, fields, sizeof(fields) / sizeof(fields[0]));
}

static int backup(struct ctl *ctl, const struct target *t)
{
    struct fresh_file f = FRESH_FILE_CLOSED;
    struct store_contents contents;
    struct stat sb = {.st_size = 0};
    int code = open_target(ctl, t, &f);
    if (code == EXIT_DONE)
        code = copy_store(ctl, f.fd, &contents);
    if (code == EXIT_DONE &&
        (fstat(f.fd, &sb) != 0 || fresh_file_publish(&f, BACKUP_MODE, t->overwrite) != 0))
        code = ctl_error(ctl, errno == EEXIST ? EXIT_CONFLICT : EXIT_FAILED,
                         "cannot make '%s': %s; no backup was made", text_clip(t->file).s,
                         strerror(errno));
    fresh_file_close(&f);
    if (code != EXIT_DONE)
        return code;
    ctl_changed(ctl, "made '%s'", text_clip(t->file).s);
    return print(ctl, t, &contents, sb.st_size);
}

int cmd_backup(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {{"overwrite", no_argument, NULL, 'o'},
                                            {NULL, 0, NULL, 0}};
    struct target t = {.overwrite = false};
    int opt;
    while ((opt = ctl_option(ctl, argc, argv, options)) != -1)
        if (opt == 'o')
            t.overwrite = true;
        else
            return EXIT_USAGE;
    if (argc - optind != 1)
        return ctl_usage(ctl, "backup takes one FILE");
    t.file = argv[optind];
    int code = split_path(ctl, &t);
    return code == EXIT_DONE ? backup(ctl, &t) : code;
}
