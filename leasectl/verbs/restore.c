/* SPDX-License-Identifier: ISC */
/* leasectl restore: makes a backup the store again, while everything runs. */
#include "leasectl/ctl_store.h"
#include "leasectl/rehearsal/rehearsal.h"
#include "leasectl/sessions/enforce.h"
#include "leasectl/show/percent.h"
#include "leasectl/show/restored.h"
#include "leasectl/verbs.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/fresh_file.h"
#include "lib/base/text.h"
#include "lib/store/backup/restore.h"
#include "lib/store/connection.h"

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STORE_MODE = 0640 };

struct request {
    const char *file;
    int fd; /* the backup, opened as whoever runs this */
    bool forget_revocations;
};

/* One run, with or without a change. */
struct run {
    struct ctl *ctl;
    const struct request *req;
    struct fresh_file work; /* what becomes the store, beside it; in a rehearsal in memory */
    struct store_restore *restore;
    struct restore_report out;
};

/* ---- the backup ---- */

static bool has_beside(const char *file, const char *suffix)
{
    struct buf name = {0};
    struct stat sb;
    buf_addf(&name, "%s%s", file, suffix);
    bool has = buf_text(&name) != NULL && stat(buf_text(&name), &sb) == 0 && sb.st_size > 0;
    buf_release(&name);
    return has;
}

static int open_backup(const struct ctl *ctl, struct request *req)
{
    struct stat sb, store;
    req->fd = open(req->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (req->fd < 0 || fstat(req->fd, &sb) != 0)
        return ctl_error(ctl, EXIT_FAILED, "cannot read '%s': %s", text_clip(req->file).s,
                         strerror(errno));
    if (!S_ISREG(sb.st_mode))
        return ctl_error(ctl, EXIT_USAGE, "'%s' is no regular file", text_clip(req->file).s);
    if (stat(ctl->conf.paths.database, &store) == 0 && store.st_ino == sb.st_ino &&
        store.st_dev == sb.st_dev)
        return ctl_error(ctl, EXIT_USAGE, "'%s' is the store itself", text_clip(req->file).s);
    if (has_beside(req->file, "-wal") || has_beside(req->file, "-journal"))
        return ctl_error(ctl, EXIT_USAGE,
                         "'%s' is a copy of a store in use, not a backup: the newest changes are "
                         "in its -wal or -journal beside it, and would be lost",
                         text_clip(req->file).s);
    return EXIT_DONE;
}

/* ---- the store that is replaced ---- */

/* Without --forget-revocations only a store that can be read, or that never was, is replaced. */
static int refuse_unknown(const struct run *run, const char *why)
{
    return ctl_error(run->ctl, EXIT_STORE,
                     "nobody can tell what was revoked since the backup was made: %s; nothing was "
                     "changed: --forget-revocations restores without",
                     why);
}

/* EXIT_DONE: it is open, or may be replaced unread. */
static int open_old(struct run *run)
{
    char why[STORE_ERROR_BYTES];
    struct ctl *ctl = run->ctl;
    const bool was_lost = ctl_store_was_lost(ctl);
    const enum store_rc rc = ctl_open_to_replace(ctl, why);
    if (rc == STORE_OK)
        return EXIT_DONE;
    if (rc == STORE_BUSY)
        return ctl_error(ctl, EXIT_STORE, "%s", why);
    run->out.old = rc == STORE_NONE ? OLD_STORE_MISSING : OLD_STORE_UNREADABLE;
    if (!run->req->forget_revocations && (rc != STORE_NONE || was_lost))
        return refuse_unknown(run,
                              rc != STORE_NONE ? why : "the store was lost while it was in use");
    return ctl_become_owner(ctl);
}

/* It can be opened, but not be read as a whole. */
static int give_up_old(struct run *run, const char *why)
{
    run->out.old = OLD_STORE_UNREADABLE;
    if (!run->req->forget_revocations)
        return refuse_unknown(run, why);
    restore_give_up(run->restore);
    ctl_close(run->ctl);
    return ctl_become_owner(run->ctl);
}

/* ---- the steps ---- */

static int open_work_file(struct run *run)
{
    char dir[CONF_PATH_BYTES];
    const char *name = strrchr(run->ctl->conf.paths.database, '/') + 1;
    ctl_store_directory(run->ctl, dir);
    if (run->ctl->rehearsal != NULL)
        run->work.fd = memfd_create("restore", MFD_CLOEXEC);
    else if (fresh_file_open(dir, name, &run->work) != 0)
        run->work.fd = -1;
    if (run->work.fd >= 0)
        return EXIT_DONE;
    return ctl_error(run->ctl, EXIT_STORE, "cannot make a file beside the store: %s",
                     strerror(errno));
}

static int read_backup(struct run *run)
{
    char err[STORE_ERROR_BYTES];
    struct percent percent;
    percent_begin(&percent, "restore");
    enum store_rc rc = restore_open(run->req->fd, run->work.fd, percent_show, &percent,
                                    &run->restore, &run->out.backup, err);
    percent_end(&percent);
    if (rc == STORE_OK)
        return EXIT_DONE;
    return ctl_error(run->ctl, rc == STORE_NONE ? EXIT_USAGE : EXIT_FAILED,
                     "cannot restore '%s': %s; nothing was changed", text_clip(run->req->file).s,
                     err);
}

/* In a real run nobody else can write from here on. */
static int take_hold(struct run *run)
{
    struct ctl *ctl = run->ctl;
    if (ctl->store == NULL)
        return EXIT_DONE;
    if (restore_attach(run->restore, ctl->conf.paths.database) != STORE_OK)
        return give_up_old(run, restore_error(run->restore));
    if (ctl->rehearsal != NULL)
        return EXIT_DONE;
    enum store_rc rc = restore_lock(run->restore, ctl->store);
    return rc == STORE_OK ? EXIT_DONE : ctl_store_error(ctl, rc);
}

static enum store_rc merge_once(struct run *run)
{
    struct buf file = {0};
    text_add_escaped(&file, run->req->file);
    const struct restore_request req = {.forget_revocations = run->req->forget_revocations,
                                        .file = buf_text_or(&file, "?"),
                                        .by = ctl_actor(run->ctl),
                                        .found = restored_add,
                                        .ctx = &run->out.list};
    restored_release(&run->out.list);
    enum store_rc rc = restore_merge(run->restore, &req, &run->out.result);
    buf_release(&file);
    return rc;
}

static int merge(struct run *run)
{
    char why[STORE_ERROR_BYTES];
    enum store_rc rc = merge_once(run);
    if (rc != STORE_OK && run->ctl->store != NULL) { /* some row of the old store is at fault */
        (void)strlcpy(why, restore_error(run->restore), sizeof(why));
        int code = give_up_old(run, why);
        if (code != EXIT_DONE)
            return code;
        rc = merge_once(run);
    }
    if (rc == STORE_OK)
        return EXIT_DONE;
    return ctl_error(run->ctl, EXIT_STORE, "cannot make a store of '%s': %s; nothing was changed",
                     text_clip(run->req->file).s, restore_error(run->restore));
}

/* No sound store is at the path. */
static int place_file(struct run *run)
{
    struct ctl *ctl = run->ctl;
    const char *database = ctl->conf.paths.database;
    if (restore_finish_file(run->restore) == 0 &&
        restore_make_room(database, ctl->now_s, run->out.aside, sizeof(run->out.aside)) == 0 &&
        fresh_file_publish(&run->work, STORE_MODE, false) == 0)
        return EXIT_DONE;
    int code =
        ctl_error(ctl, EXIT_STORE, "cannot put the backup into the place of '%s': %s%s", database,
                  strerror(errno),
                  errno == EEXIST ? "; another program has made a store there: try again" : "");
    if (run->out.aside[0] != '\0')
        ctl_warn(ctl, "what was there is kept as '%s'", run->out.aside);
    return code;
}

static int put_in_place(struct run *run)
{
    if (run->ctl->store == NULL)
        return place_file(run);
    enum store_rc rc = restore_commit(run->restore);
    return rc == STORE_OK ? EXIT_DONE : ctl_store_error(run->ctl, rc);
}

/* What the rehearsal shows, with the store as it would be. */
static int show_in_rehearsal(struct run *run)
{
    const struct enforce_scope scope = {.lease = NULL};
    struct ctl *ctl = run->ctl;
    struct store *now = ctl->store;
    int code = EXIT_DONE;
    for (size_t i = 0; code == EXIT_DONE && i < run->out.list.count; i++) {
        const struct restored_item *item = &run->out.list.items[i];
        code = rehearsal_note_restored(ctl, restored_word(item->what), item->id, item->name,
                                       item->login, restored_meaning(item->what));
    }
    restore_detach(run->restore);
    ctl->store = restore_store(run->restore);
    if (code == EXIT_DONE)
        code = rehearsal_judge(ctl, &scope);
    ctl->store = now;
    return code;
}

static int run_once(struct run *run)
{
    run->work = FRESH_FILE_CLOSED;
    int code = open_old(run);
    if (code == EXIT_DONE)
        code = open_work_file(run);
    if (code == EXIT_DONE)
        code = read_backup(run);
    if (code == EXIT_DONE)
        code = take_hold(run);
    if (code == EXIT_DONE)
        code = merge(run);
    if (code == EXIT_DONE)
        code = run->ctl->rehearsal != NULL ? show_in_rehearsal(run) : put_in_place(run);
    restore_close(run->restore);
    fresh_file_close(&run->work);
    ctl_close(run->ctl);
    return code;
}

static int restore_in_rehearsal(struct ctl *ctl, void *arg)
{
    struct run run = {.ctl = ctl, .req = arg, .out = {.file = ((struct request *)arg)->file}};
    int code = run_once(&run);
    restored_release(&run.out.list);
    return code;
}

/* ---- the sessions ---- */

/* The leases that open other things than before: a login of theirs that is on its way may still get
 * what it was before. NULL: out of memory. */
static int64_t *other_terms(const struct restore_report *r, size_t *ret_count)
{
    int64_t *ids = calloc(r->list.count + 1, sizeof(*ids));
    *ret_count = 0;
    for (size_t i = 0; ids != NULL && i < r->list.count; i++)
        if (r->list.items[i].what == RESTORED_TERMS || r->list.items[i].what == RESTORED_NARROWED)
            ids[(*ret_count)++] = r->list.items[i].id;
    return ids;
}

static int restore(struct ctl *ctl, const struct request *req)
{
    struct run run = {.ctl = ctl, .req = req, .out = {.file = req->file}};
    struct enforce_scope scope = {.narrowed = true, .begun_s = clock_now_s()};
    int code = run_once(&run);
    if (code == EXIT_DONE) {
        int64_t *ids = other_terms(&run.out, &scope.narrowed_id_count);
        scope.narrowed_ids = ids;
        ctl_changed(ctl, "restored '%s'", text_clip(req->file).s);
        code = restored_print(ctl, &run.out);
        const int enforced = sessions_enforce(ctl, &scope);
        code = code == EXIT_DONE ? enforced : code;
        free(ids);
    }
    restored_release(&run.out.list);
    return code;
}

int cmd_restore(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {
        {"forget-revocations", no_argument, NULL, 'f'}, REHEARSAL_OPTIONS, {NULL, 0, NULL, 0}};
    struct rehearsal_options rehearsal = {.dry_run = false};
    struct request req = {.fd = -1};
    bool go_on = false;
    int opt;
    while ((opt = ctl_option(ctl, argc, argv, options)) != -1)
        if (opt == 'f')
            req.forget_revocations = true;
        else if (!rehearsal_take_option(&rehearsal, opt))
            return EXIT_USAGE;
    if (argc - optind != 1)
        return ctl_usage(ctl, "restore takes one FILE");
    req.file = argv[optind];
    int code = open_backup(ctl, &req);
    if (code == EXIT_DONE)
        code = rehearse(ctl, &rehearsal, restore_in_rehearsal, &req, &go_on);
    if (go_on)
        code = restore(ctl, &req);
    if (req.fd >= 0)
        (void)close(req.fd);
    return code;
}
