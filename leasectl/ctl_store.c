/* SPDX-License-Identifier: ISC */
#include "leasectl/ctl_store.h"

#include "leasectl/open_watchdog.h"
#include "lib/base/clock.h"
#include "lib/base/durable.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/session/lock_holder.h"
#include "lib/session/registry.h"
#include "lib/session/registry_count.h"
#include "lib/session/registry_lock.h"
#include "lib/store/actor.h"
#include "lib/store/connection.h"
#include "lib/store/invites.h"
#include "lib/store/jumps.h"
#include "lib/store/leases.h"
#include "lib/store/open_read.h"
#include "lib/store/open_write.h"
#include "lib/store/transaction.h"
#include "lib/store/version.h"

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct store_actor ctl_actor(const struct ctl *ctl)
{
    return (struct store_actor){.who = ctl->actor, .source = "", .now_s = ctl->now_s};
}

void ctl_store_directory(const struct ctl *ctl, char out[static CONF_PATH_BYTES])
{
    (void)strlcpy(out, ctl->conf.paths.database, CONF_PATH_BYTES);
    char *slash = strrchr(out, '/');
    if (slash == out)
        slash++;
    *slash = '\0';
}

/*
 * Mode 2750, owner _tunlease where that user exists, so that new files in it get its group
 * (docs/design.md 10). It is made under another name, and renamed when it has its owner and mode.
 * Otherwise another program could find it while it is still root's: privilege_become_owner would
 * leave that program root, and akc could not read the files that it makes. Or the program could
 * become an owner who cannot write there yet.
 */
static int make_store_directory(const struct ctl *ctl, const char *dir)
{
    char made_as[CONF_PATH_BYTES + 32];
    struct stat st;
    const struct passwd *owner = geteuid() == 0 ? getpwnam("_tunlease") : NULL;
    if (stat(dir, &st) == 0)
        return EXIT_DONE;
    (void)snprintf(made_as, sizeof(made_as), "%s.new-%d", dir, (int)getpid());
    if (mkdir(made_as, 0700) == 0 &&
        (owner == NULL || lchown(made_as, owner->pw_uid, owner->pw_gid) == 0) &&
        chmod(made_as, 02750) == 0 &&
        (renameat2(AT_FDCWD, made_as, AT_FDCWD, dir, RENAME_NOREPLACE) == 0 || errno == EEXIST) &&
        durable_name(dir) == 0) {
        (void)rmdir(made_as); /* another program was first */
        return EXIT_DONE;
    }
    int saved = errno;
    (void)rmdir(made_as);
    return ctl_error(ctl, EXIT_STORE, "cannot make the store's directory '%s': %s", dir,
                     strerror(saved));
}

/* The watchdog takes a program that reads nothing for one that hangs. While SQLite waits for a lock
 * it reads nothing either, so the watchdog waits longer than SQLite does. */
enum {
    READ_OPENING_MS = STORE_READ_TIMEOUT_MS + 250,
    WRITE_OPENING_MS = STORE_WRITE_TIMEOUT_MS + 250,
};

/* False if leased runs or a session is up: then there was a store, and it was lost. A new one in
 * its place would hold no lease, and every session would be ended. */
static bool may_create_store(const struct ctl *ctl)
{
    return !ctl_leased_is_running(ctl) && registry_has_none(ctl->conf.paths.run_dir);
}

/* Writers lock the -shm file, or the database itself in other journal modes. */
static const char *lock_holder(const struct ctl *ctl, char *out, size_t out_bytes)
{
    char path[CONF_PATH_BYTES + 8], name[LOCK_HOLDER_NAME_BYTES];
    pid_t pid;
    (void)snprintf(path, sizeof(path), "%s-shm", ctl->conf.paths.database);
    if (lock_holder_find(path, &pid, name) != SIGHT_IS &&
        lock_holder_find(ctl->conf.paths.database, &pid, name) != SIGHT_IS)
        return "another program";
    (void)snprintf(out, out_bytes, "'%s' (pid %d)", name, (int)pid);
    return out;
}

static void describe_busy(const struct ctl *ctl, char why[static STORE_ERROR_BYTES])
{
    char holder[LOCK_HOLDER_NAME_BYTES + 32];
    (void)snprintf(why, STORE_ERROR_BYTES,
                   "%s holds the store's lock for more than 5 s; nothing was changed: try again",
                   lock_holder(ctl, holder, sizeof(holder)));
}

enum opening { OPENING_READ, OPENING_WRITE, OPENING_EXISTING };

static void say_migrated(const struct ctl *ctl)
{
    char name[STORE_BACKUP_NAME_BYTES];
    if (store_migrated_from(ctl->store) != 0 &&
        store_backup_name(ctl->conf.paths.database, STORE_VERSION, name) == 0)
        text_print(stderr,
                   "leasectl: %s: the store was migrated from version %d to %d; the one of before "
                   "is '%s'",
                   ctl->verb, store_migrated_from(ctl->store), STORE_VERSION, name);
}

/* On anything but STORE_OK why has a whole sentence, and the program is root again. */
static enum store_rc open_as_owner(struct ctl *ctl, const char *dir, enum opening how,
                                   char why[static STORE_ERROR_BYTES])
{
    struct stat st;
    const char *database = ctl->conf.paths.database;
    bool may_create = how == OPENING_WRITE && ctl->rehearsal == NULL && lstat(database, &st) != 0 &&
                      errno == ENOENT && may_create_store(ctl);
    open_watchdog_start(ctl, how != OPENING_READ ? WRITE_OPENING_MS : READ_OPENING_MS);
    if (privilege_become_owner(dir, &ctl->privilege) != 0) {
        int saved = errno;
        open_watchdog_stop();
        (void)snprintf(why, STORE_ERROR_BYTES, "cannot use the store's directory '%s': %s%s", dir,
                       strerror(saved), saved == ENOENT ? "; 'leasectl setup' makes it" : "");
        return STORE_FAIL;
    }
    enum store_rc rc = may_create            ? store_open_write(database, &ctl->store, why)
                       : how != OPENING_READ ? store_open_existing(database, &ctl->store, why)
                                             : store_open_read(database, &ctl->store, why);
    open_watchdog_stop();
    if (rc == STORE_OK) {
        say_migrated(ctl);
        return STORE_OK;
    }
    privilege_restore(&ctl->privilege);
    if (rc == STORE_BUSY)
        describe_busy(ctl, why);
    return rc;
}

/* The store is private, and a newcomer forgets sudo. A root that may not read it has another
 * trouble, which doctor names. */
static const char *who_may_read(const struct ctl *ctl)
{
    bool is_denied = access(ctl->conf.paths.database, R_OK) != 0 && errno == EACCES;
    return geteuid() != 0 && is_denied ? ": run this as root" : "";
}

static int open_store(struct ctl *ctl, bool write)
{
    char dir[CONF_PATH_BYTES], why[STORE_ERROR_BYTES];
    ctl_store_directory(ctl, dir);
    int code = write && ctl->rehearsal == NULL ? make_store_directory(ctl, dir) : EXIT_DONE;
    if (code == EXIT_DONE &&
        open_as_owner(ctl, dir, write ? OPENING_WRITE : OPENING_READ, why) != STORE_OK)
        code = ctl_error(ctl, EXIT_STORE, "%s%s", why, who_may_read(ctl));
    return code;
}

int ctl_open_read(struct ctl *ctl)
{
    return open_store(ctl, false);
}

/* Deletes what a verify has left that was killed. A failure is that of the command itself, which
 * then meets it, too. */
static void delete_abandoned_probes(struct ctl *ctl)
{
    const struct store_actor by = ctl_actor(ctl);
    size_t count = 0;
    if (store_probes_abandoned(ctl->store, by.now_s, ctl->abandoned, &count) != STORE_OK ||
        count == 0)
        return;
    if (store_begin(ctl->store) == STORE_OK &&
        store_probes_delete(ctl->store, ctl->abandoned, count, &by) == STORE_OK &&
        store_commit(ctl->store) == STORE_OK)
        ctl->abandoned_count = count;
    store_rollback(ctl->store);
}

/* As root: what RunDir has of them. */
static void forget_abandoned_probes(struct ctl *ctl)
{
    struct registry r;
    if (ctl->abandoned_count > 0 && registry_open(ctl->conf.paths.run_dir, true, &r) == 0) {
        for (size_t i = 0; i < ctl->abandoned_count; i++)
            registry_remove_lock_file(&r, ctl->abandoned[i]);
        registry_close(&r);
    }
    ctl->abandoned_count = 0;
}

int ctl_open_write(struct ctl *ctl)
{
    int code = open_store(ctl, true);
    if (code == EXIT_DONE && ctl->rehearsal == NULL)
        delete_abandoned_probes(ctl);
    return code;
}

int ctl_open_read_silently(struct ctl *ctl, char why[static STORE_ERROR_BYTES])
{
    char dir[CONF_PATH_BYTES];
    int code = EXIT_STORE;
    ctl_store_directory(ctl, dir);
    if (ctl->no_answer[0] == '\0') {
        if (open_as_owner(ctl, dir, OPENING_READ, why) == STORE_OK)
            code = EXIT_DONE;
        else
            (void)strlcpy(ctl->no_answer, why, sizeof(ctl->no_answer));
    } else
        (void)strlcpy(why, ctl->no_answer, STORE_ERROR_BYTES);
    return code;
}

enum store_rc ctl_open_to_replace(struct ctl *ctl, char why[static STORE_ERROR_BYTES])
{
    char dir[CONF_PATH_BYTES];
    struct stat st;
    bool is_there = lstat(ctl->conf.paths.database, &st) == 0 || errno != ENOENT;
    ctl_store_directory(ctl, dir);
    if (!is_there)
        (void)snprintf(why, STORE_ERROR_BYTES, "there is no store '%s'", ctl->conf.paths.database);
    return is_there ? open_as_owner(ctl, dir, OPENING_EXISTING, why) : STORE_NONE;
}

int ctl_become_owner(struct ctl *ctl)
{
    char dir[CONF_PATH_BYTES];
    ctl_store_directory(ctl, dir);
    int code = ctl->rehearsal == NULL ? make_store_directory(ctl, dir) : EXIT_DONE;
    if (code == EXIT_DONE && privilege_become_owner(dir, &ctl->privilege) != 0 &&
        !(ctl->rehearsal != NULL && errno == ENOENT))
        code = ctl_error(ctl, EXIT_STORE, "cannot use the store's directory '%s': %s", dir,
                         strerror(errno));
    return code;
}

bool ctl_store_was_lost(const struct ctl *ctl)
{
    char log[CONF_PATH_BYTES + 8];
    struct stat st;
    (void)snprintf(log, sizeof(log), "%s-wal", ctl->conf.paths.database);
    return !may_create_store(ctl) || (lstat(log, &st) == 0 && st.st_size > 0);
}

void ctl_close(struct ctl *ctl)
{
    if (ctl->store != NULL && store_took_too_long(ctl->store))
        (void)snprintf(ctl->no_answer, sizeof(ctl->no_answer),
                       "the store '%s' took too long to answer", ctl->conf.paths.database);
    store_close(ctl->store);
    ctl->store = NULL;
    privilege_restore(&ctl->privilege);
    forget_abandoned_probes(ctl);
}

/* No such file: leased never ran here. A file that cannot be opened counts as a jump. */
bool ctl_clock_may_have_jumped(const struct ctl *ctl)
{
    char path[CONF_PATH_BYTES + 16];
    struct jump_note n;
    (void)snprintf(path, sizeof(path), "%s-leased", ctl->conf.paths.database);
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno != ENOENT;
    bool jumped = jump_note_read(fd, &n) && jump_is_recent(&n, clock_now_s(), clock_boot_ms());
    (void)close(fd);
    return jumped;
}

bool ctl_leased_note(const struct ctl *ctl, struct jump_note *ret)
{
    char path[CONF_PATH_BYTES + 16];
    (void)snprintf(path, sizeof(path), "%s-leased", ctl->conf.paths.database);
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    bool found = fd >= 0 && jump_note_read(fd, ret);
    if (fd >= 0)
        (void)close(fd);
    return found;
}

int64_t ctl_quarantine_s(const struct ctl *ctl)
{
    return ctl_clock_may_have_jumped(ctl) ? INT64_MAX / 4 : ctl->conf.quarantine_ttl_s;
}

const char *ctl_quarantine_note(const struct ctl *ctl)
{
    return ctl_clock_may_have_jumped(ctl)
               ? " (the clock jumped less than an hour ago: for an hour after a jump "
                 "no port that another lease held is given)"
               : "";
}

bool ctl_leased_is_running(const struct ctl *ctl)
{
    char dir[CONF_PATH_BYTES], path[CONF_PATH_BYTES + 16];
    struct privilege as_owner;
    bool runs = false;
    ctl_store_directory(ctl, dir);
    (void)snprintf(path, sizeof(path), "%s-leased", ctl->conf.paths.database);
    if (privilege_become_owner(dir, &as_owner) != 0)
        return false;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0) {
        runs = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
        (void)close(fd);
    }
    privilege_restore(&as_owner);
    return runs;
}

int ctl_store_error(const struct ctl *ctl, enum store_rc rc)
{
    char why[STORE_ERROR_BYTES];
    if (rc == STORE_BUSY) {
        describe_busy(ctl, why);
        return ctl_error(ctl, EXIT_STORE, "%s", why);
    }
    return ctl_error(ctl, EXIT_STORE, "cannot use the store '%s': %s", ctl->conf.paths.database,
                     store_error(ctl->store));
}

/* No lease has the name. */
static int refuse_name(struct ctl *ctl, const char *name)
{
    int64_t invite = 0;
    enum store_rc rc = store_invite_of_name(ctl->store, name, ctl->now_s, &invite);
    if (rc == STORE_OK)
        return ctl_error(ctl, EXIT_NO_SUCH,
                         "there is no lease '%s' yet, only the open invite #%lld: 'leasectl invite "
                         "revoke %lld' takes it back",
                         name, (long long)invite, (long long)invite);
    if (rc == STORE_NONE)
        return ctl_error(ctl, EXIT_NO_SUCH, "there is no lease '%s': see 'leasectl list --all'",
                         name);
    return ctl_store_error(ctl, rc);
}

int ctl_find_lease(struct ctl *ctl, const char *ref, struct lease *ret)
{
    enum store_rc rc;
    if (ref[0] == '#') {
        int64_t id;
        if (!number_parse(ref + 1, strlen(ref + 1), 1, INT64_MAX, &id))
            return ctl_error(ctl, EXIT_USAGE, "'%s' is no lease number like #17", text_clip(ref).s);
        rc = store_lease_by_id(ctl->store, id, ret);
    } else {
        const char *problem = lease_name_problem(ref);
        if (problem != NULL)
            return ctl_error(ctl, EXIT_USAGE, "the name '%s' %s", text_clip(ref).s, problem);
        rc = store_lease_by_name(ctl->store, ref, ret);
    }
    if (rc == STORE_NONE && ref[0] != '#')
        return refuse_name(ctl, ref);
    if (rc == STORE_NONE)
        return ctl_error(ctl, EXIT_NO_SUCH, "there is no lease '%s': see 'leasectl list --all'",
                         ref);
    return rc == STORE_OK ? EXIT_DONE : ctl_store_error(ctl, rc);
}
