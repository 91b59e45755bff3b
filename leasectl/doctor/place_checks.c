/* SPDX-License-Identifier: ISC */
/* Can the store's files be used by those who must, and by nobody else, and is there room for more?
 */
#include "leasectl/ctl_store.h"
#include "leasectl/doctor/checks.h"
#include "leasectl/host/filesystem.h"

#include <bsd/string.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PLACE_PATH_BYTES = CONF_PATH_BYTES + 16,
    MIB = 1024 * 1024,
    ROOM_LEAST_BYTES = MIB,      /* less: a change of the store may not fit */
    ROOM_LITTLE_BYTES = 16 * MIB /* less: it will be full soon */
};

static const mode_t all_mask = 07777;

/* `OWNER:GROUP MODE`, with numbers where there are no names. */
static void format_owner_and_mode(const struct stat *st, char *out, size_t out_bytes)
{
    char owner[64], group[64];
    const struct passwd *pw = getpwuid(st->st_uid);
    const struct group *gr = getgrgid(st->st_gid);
    (void)snprintf(owner, sizeof(owner), "%u", st->st_uid);
    (void)snprintf(group, sizeof(group), "%u", st->st_gid);
    if (pw != NULL)
        (void)strlcpy(owner, pw->pw_name, sizeof(owner));
    if (gr != NULL)
        (void)strlcpy(group, gr->gr_name, sizeof(group));
    (void)snprintf(out, out_bytes, "%s:%s %04o", owner, group, st->st_mode & all_mask);
}

/* A directory of root's with another name may have files of others: it must not become ours. */
static bool is_shared(const char *dir, const struct stat *st)
{
    const char *slash = strrchr(dir, '/');
    return st->st_uid == 0 && strcmp(slash != NULL ? slash + 1 : dir, "tunlease") != 0;
}

/* One file or directory of the store, with the owner and the mode of docs/design.md 10. */
static void check_owner_and_mode(struct doctor_run *d, const char *path, mode_t want)
{
    char has[160];
    struct stat st;
    const struct passwd *owner = getpwnam("_tunlease");
    if (owner == NULL || lstat(path, &st) != 0 || S_ISLNK(st.st_mode))
        return; /* others report these */
    const mode_t mode = st.st_mode & all_mask;
    const bool is_owners = st.st_uid == owner->pw_uid && st.st_gid == owner->pw_gid;
    const bool lacks = !is_owners || (want & 0777 & ~mode) != 0;
    const bool writable = (mode & (S_IWGRP | S_IWOTH)) != 0;
    if (is_owners && mode == want)
        return;
    format_owner_and_mode(&st, has, sizeof(has));
    doctor_report(d, lacks || writable ? RESULT_FAIL : RESULT_WARN, "store",
                  "'%s' is %s, not _tunlease:_tunlease %04o", path, has, want);
    if (writable)
        doctor_why(d, "who can write there can give himself every lease");
    else if (lacks)
        doctor_why(d, "leased or akc cannot use it: nobody gets in, or nothing is written down");
    else if ((mode & S_IRWXO) != 0)
        doctor_why(d, "everybody on this host can see who has which lease");
    else
        doctor_why(d, "files that are made there may get a group that akc is not in");
    if (S_ISDIR(st.st_mode) && is_shared(path, &st))
        doctor_mend(d,
                    "a directory of its own: install -d -o _tunlease -g _tunlease -m 2750 "
                    "'%s/tunlease'; then move the store's files into it, and 'Database "
                    "%s/tunlease/leases.db' in '%s'",
                    path, path, ctl_conf_name(d->ctl));
    else
        doctor_mend(d, "chown _tunlease:_tunlease '%s' && chmod %04o '%s'", path, want, path);
    d->store_reported = d->store_reported || lacks;
}

static void check_log_files(struct doctor_run *d)
{
    const char *database = d->ctl->conf.paths.database;
    char wal[PLACE_PATH_BYTES], shm[PLACE_PATH_BYTES];
    (void)snprintf(wal, sizeof(wal), "%s-wal", database);
    (void)snprintf(shm, sizeof(shm), "%s-shm", database);
    const bool has_wal = access(wal, F_OK) == 0, has_shm = access(shm, F_OK) == 0;
    if ((has_wal && has_shm) || access(database, F_OK) != 0)
        return;
    if (has_wal || has_shm)
        doctor_report(d, RESULT_WARN, "store", "'%s' is missing", has_wal ? shm : wal);
    else
        doctor_report(d, RESULT_WARN, "store", "'%s' and '%s' are missing", wal, shm);
    doctor_why(d, "the next program that writes makes what is missing, with an owner of its own: "
                  "after a sqlite3 of root it is root's, and leased cannot write any more; until "
                  "then each login checks the whole file");
    doctor_mend(d, "leasectl setup");
}

void check_store_files(struct doctor_run *d)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    char path[PLACE_PATH_BYTES];
    ctl_store_directory(d->ctl, path);
    check_owner_and_mode(d, path, 02750);
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s%s", d->ctl->conf.paths.database, suffixes[i]);
        check_owner_and_mode(d, path, 0640);
    }
    check_log_files(d);
}

/* A directory in which something must be written, and what happens when it is not. */
struct place {
    const char *path;
    const char *why;
    enum result result; /* of one that cannot be written */
};

static void report_room(struct doctor_run *d, const struct place *place,
                        const struct filesystem *fs)
{
    const bool no_files = fs->has_file_count && fs->free_files == 0;
    if (fs->read_only) {
        doctor_report(d, place->result, "space", "'%s' is on a read-only file system, '%s'",
                      place->path, fs->mount_point);
        doctor_mend(d, "mount -o remount,rw '%s'; dmesg may say why it became read-only",
                    fs->mount_point);
    } else if (no_files || fs->free_bytes < ROOM_LEAST_BYTES) {
        doctor_report(d, place->result, "space", "'%s' is on a file system that is full, '%s'",
                      place->path, fs->mount_point);
        doctor_mend(d, "delete or move what is not needed below '%s': du -xh '%s' | sort -h",
                    fs->mount_point, fs->mount_point);
    } else {
        doctor_report(d, RESULT_WARN, "space", "'%s' is on a file system that is nearly full, '%s'",
                      place->path, fs->mount_point);
        doctor_mend(d, "delete or move what is not needed below '%s': du -xh '%s' | sort -h",
                    fs->mount_point, fs->mount_point);
    }
    doctor_why(d, "%s", place->why);
}

/* True if no log is kept in /var/log: the image of a container is read-only, and its log is the
 * output of its processes. What became read-only by a fault has files of before. */
static bool no_log_is_kept(const struct filesystem *fs)
{
    static const char *const logs[] = {"/var/log/journal", "/var/log/auth.log", "/var/log/secure",
                                       "/var/log/syslog", "/var/log/messages"};
    for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++)
        if (access(logs[i], F_OK) == 0)
            return false;
    return fs->read_only;
}

/* Each file system is reported once, for the first place that is on it. */
void check_space(struct doctor_run *d)
{
    char store[CONF_PATH_BYTES];
    ctl_store_directory(d->ctl, store);
    const struct place places[] = {
        {store, "nothing is granted, renewed or revoked, and heartbeats are lost", RESULT_FAIL},
        {d->ctl->conf.paths.run_dir, "no login can be registered, and so each is refused",
         RESULT_FAIL},
        {"/var/log", "who was let in and who was refused is not in the log", RESULT_WARN},
    };
    enum { PLACES = sizeof(places) / sizeof(places[0]), LOG = PLACES - 1 };
    struct filesystem fs[PLACES];
    unsigned well = 0;
    for (size_t i = 0; i < PLACES; i++) {
        bool seen = false;
        if (filesystem_of(places[i].path, &fs[i]) != 0) {
            fs[i].mount_point[0] = '\0';
            if (errno != ENOENT) { /* others report what is missing */
                doctor_report(d, RESULT_UNKNOWN, "space", "cannot look at '%s': %s", places[i].path,
                              strerror(errno));
                doctor_why(d, "%s where it is full", places[i].why);
                doctor_mend(d, "df '%s'", places[i].path);
            }
            continue;
        }
        for (size_t k = 0; k < i; k++)
            seen = seen || strcmp(fs[k].mount_point, fs[i].mount_point) == 0;
        if (seen ||
            (!fs[i].read_only && fs[i].free_bytes >= ROOM_LITTLE_BYTES &&
             (!fs[i].has_file_count || fs[i].free_files > 0)) ||
            (i == LOG && no_log_is_kept(&fs[i])))
            well++;
        else
            report_room(d, &places[i], &fs[i]);
    }
    if (well == PLACES)
        doctor_report(d, RESULT_OK, "space",
                      "there is room for the store, the registry and the log");
}
