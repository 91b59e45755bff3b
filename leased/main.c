/* SPDX-License-Identifier: ISC */
/* leased: agents' register and heartbeat, ports, and the end of what must end. */
#include "leased/engine/engine.h"
#include "leased/engine/issue.h"
#include "leased/engine/pace.h"
#include "leased/start.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/descriptors.h"
#include "lib/base/log.h"
#include "lib/base/privilege.h"
#include "lib/conf/load.h"
#include "lib/conf/print.h"
#include "lib/session/run_dir.h"

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, PATH_BYTES = CONF_PATH_BYTES + 16 };

static const char usage_text[] =
    "usage: leased [-D] [-d] [-P] [-t] [-T] [-u] [-v] [-c FILE]\n"
    "\n"
    "Registers agents, keeps their ports, and ends the sessions of dead leases; see leased(8).\n"
    "\n"
    "  -D         log to standard error, in the foreground\n"
    "  -d         accepted, and means nothing more: leased always stays in the foreground\n"
    "  -P         as root: make what is missing of the session registry, clear it, and exit\n"
    "  -t         check the configuration, and exit 0 or 1\n"
    "  -T         print the configuration that is in force\n"
    "  -u         go on where the http process cannot be confined\n"
    "  -v         log every heartbeat\n"
    "  -c FILE    configuration (default " CONF_DEFAULT_FILE ")\n"
    "  --help     this text\n"
    "  --version  the version\n";

static void print_lines(const struct buf *lines)
{
    for (const char *at = buf_text(lines); at != NULL && *at != '\0';) {
        int len = (int)strcspn(at, "\n");
        log_warn("%.*s", len, at);
        at += len + (at[len] == '\n' ? 1 : 0);
    }
}

static int load(struct engine *e, const char *conf_file)
{
    char err[CONF_ERROR_BYTES];
    struct buf warnings = {0};
    int rc = conf_load_daemon(conf_file, &e->conf, err, &warnings);
    if (rc == 0)
        rc = api_keys_load(&e->conf, &e->keys, err, &warnings);
    conf_forget_keys(&e->conf); /* their hashes are enough */
    print_lines(&warnings);
    if (rc != 0)
        log_error("%s", err);
    buf_release(&warnings);
    return rc == 0 ? start_check(&e->conf) : rc;
}

static int print_effective(const struct engine *e)
{
    struct buf text = {0};
    conf_print(&e->conf, &text);
    int rc = buf_text(&text) != NULL && fputs(buf_text(&text), stdout) >= 0 && fflush(stdout) == 0
                 ? EXIT_SUCCESS
                 : EXIT_FAILURE;
    buf_release(&text);
    return rc;
}

/* ---- what is missing is made, with the owners and modes of CONTRACT 9 ---- */

static int make_directory(const char *path, uid_t uid, gid_t gid, mode_t mode)
{
    if (mkdir(path, 0700) != 0)
        return errno == EEXIST ? 0 : -1;
    return (geteuid() != 0 || lchown(path, uid, gid) == 0) && chmod(path, mode) == 0 ? 0 : -1;
}

static int make_run_dir(const struct conf *conf)
{
    if (run_dir_make(conf->paths.run_dir) == 0)
        return 0;
    log_error("cannot make what is missing of the session registry '%s': %s; the first login "
              "does it, 'leasectl setup', or tmpfiles.d",
              conf->paths.run_dir, strerror(errno));
    return -1;
}

static int make_directories(const struct conf *conf)
{
    char path[PATH_BYTES];
    const struct passwd *pw = getpwnam("_tunlease");
    uid_t uid = pw != NULL ? pw->pw_uid : geteuid();
    gid_t gid = pw != NULL ? pw->pw_gid : getegid();
    (void)strlcpy(path, conf->paths.database, sizeof(path));
    char *slash = strrchr(path, '/');
    slash[slash == path ? 1 : 0] = '\0';
    int rc = make_directory(path, uid, gid, 02750);
    if (rc != 0)
        log_error("cannot make '%s': %s", path, strerror(errno));
    /* As its unit runs it, it may not, and needs it not: the unit has run -P. Where that failed the
     * first login does it, and it is seen when it is there. */
    if (rc == 0)
        (void)make_run_dir(conf);
    return rc;
}

/* leasectl looks by taking a shared lock, for an instant: that is no other daemon. */
static int lock_in_a_moment(int fd)
{
    enum { TRIES = 50, PAUSE_MS = 5 };
    for (int i = 1; flock(fd, LOCK_EX | LOCK_NB) != 0; i++) {
        if (errno != EWOULDBLOCK || i == TRIES)
            return -1;
        (void)poll(NULL, 0, PAUSE_MS);
    }
    return 0;
}

/* One daemon for one store; leasectl looks at the lock to know whether there is one. */
static int lock_store(const struct conf *conf, int *ret_fd)
{
    char path[PATH_BYTES];
    struct privilege privilege;
    (void)strlcpy(path, conf->paths.database, sizeof(path));
    char *slash = strrchr(path, '/');
    slash[slash == path ? 1 : 0] = '\0';
    if (privilege_take_owner(path, &privilege) != 0) {
        log_error("cannot work in '%s': %s", path, strerror(errno));
        return -1;
    }
    (void)snprintf(path, sizeof(path), "%s-leased", conf->paths.database);
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
    int saved = errno;
    privilege_restore(&privilege);
    errno = saved;
    if (fd >= 0 && lock_in_a_moment(fd) == 0) {
        *ret_fd = fd; /* held until the end of the process */
        return 0;
    }
    log_error(errno == EWOULDBLOCK ? "another leased runs on this store ('%s' is locked)"
                                   : "cannot lock '%s': %m",
              path);
    return -1;
}

/* As root alone: what sessions left that died without a word. */
static void clear_dead(const struct conf *conf)
{
    enum { CLEAR_MS = 1000 };
    struct registry r;
    struct session_list list;
    if (registry_open(conf->paths.run_dir, true, &r) != 0)
        return; /* said where it is needed */
    if (registry_read(&r, 0, &list) == 0) {
        (void)registry_clear(&r, &list, clock_monotonic_ms() + CLEAR_MS);
        session_list_release(&list);
    }
    registry_close(&r);
}

/* What the service, which is not root, cannot do itself: its unit runs this before. */
static int prepare(const struct conf *conf)
{
    if (make_run_dir(conf) != 0)
        return EXIT_FAILURE;
    clear_dead(conf);
    return EXIT_SUCCESS;
}

/* A store that let somebody in is not made anew: all of them would be ended as deleted. */
static enum store_rc open_store(struct engine *e, char err[static STORE_ERROR_BYTES])
{
    return registry_has_none(e->conf.paths.run_dir)
               ? store_open_write(e->conf.paths.database, &e->store, err)
               : store_open_again(e->conf.paths.database, &e->store, err);
}

static int run(struct engine *e)
{
    char err[STORE_ERROR_BYTES];
    /* Everybody who can become this user could otherwise read its memory, and the keys in it. */
    (void)prctl(PR_SET_DUMPABLE, 0);
    descriptors_take_allowed();
    (void)signal(SIGPIPE, SIG_IGN);
    /* The lock first: a second daemon must not take the first one's unix socket away. */
    if (make_directories(&e->conf) != 0 || lock_store(&e->conf, &e->lock_fd) != 0 ||
        start_listening(&e->conf, &e->foreign_network) != 0)
        return EXIT_FAILURE;
    clear_dead(&e->conf);
    if (start_drop_privileges() != 0)
        return EXIT_FAILURE;
    if (open_store(e, err) != STORE_OK) {
        log_error("%s", err);
        return EXIT_FAILURE;
    }
    /* A locked store leaves requests queued: kills never wait for it. */
    store_set_timeout(e->store, 0);
    return engine_run(e);
}

int main(int argc, char **argv)
{
    static struct engine e;
    static struct start_options options;
    bool check = false, print = false, preparing = false;
    int opt;

    if (issue_is_askpass())
        return EXIT_SUCCESS;
    if (argc > 1 && strcmp(argv[1], "--http") == 0)
        return start_http_main(argc, argv);
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return fputs(usage_text, stdout) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        return puts("leased (tunlease) " TUNLEASE_VERSION) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    while ((opt = getopt(argc, argv, "DdPtTuvc:")) != -1) {
        switch (opt) {
        case 'D':
            options.to_stderr = true;
            break;
        case 'd':
            break;
        case 'P':
            preparing = true;
            break;
        case 't':
            check = true;
            break;
        case 'T':
            print = true;
            break;
        case 'u':
            options.unconfined = true;
            break;
        case 'v':
            e.verbose = true;
            break;
        case 'c':
            options.conf_file = optarg;
            break;
        default:
            (void)fputs(usage_text, stderr);
            return EXIT_USAGE;
        }
    }
    if (optind != argc) {
        (void)fputs(usage_text, stderr);
        return EXIT_USAGE;
    }
    log_init("leased", options.to_stderr || check || print);
    if (!check && !print && !preparing && !pace_start())
        return EXIT_SUCCESS;
    e.program =
        (struct program){.arg = &options, .start_http = start_http_process, .reload = start_reload};
    if (load(&e, options.conf_file) != 0)
        return EXIT_FAILURE;
    if (print)
        return print_effective(&e);
    if (check)
        return EXIT_SUCCESS;
    return preparing ? prepare(&e.conf) : run(&e);
}
