/* SPDX-License-Identifier: ISC */
/* leased: registers agents, assigns their ports, and ends the sessions of dead leases. */
#include "leased/configuration.h"
#include "leased/directories.h"
#include "leased/engine/engine.h"
#include "leased/engine/pace.h"
#include "leased/http_process.h"
#include "leased/privileges.h"
#include "leased/requests/issue.h"
#include "leased/site_page.h"
#include "leased/sockets.h"
#include "leased/store_lock.h"
#include "leased/watch/events.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/descriptors.h"
#include "lib/base/log.h"
#include "lib/conf/conf.h"
#include "lib/conf/print.h"
#include "lib/session/join_session.h"
#include "lib/session/registry_count.h"
#include "lib/session/registry_read.h"
#include "lib/session/registry_remove.h"
#include "lib/store/connection.h"
#include "lib/store/open_write.h"
#include "lib/store/version.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { EXIT_USAGE = 2 };

static const char usage_text[] =
    "usage: leased [-D] [-d] [-P] [-t] [-T] [-u] [-v] [-c FILE]\n"
    "\n"
    "Registers agents, assigns their ports, and ends the sessions of dead leases;\n"
    "see leased(8).\n"
    "\n"
    "  -D         log to standard error, in the foreground\n"
    "  -d         accepted and ignored: leased always stays in the foreground\n"
    "  -P         as root: make the session registry if need be, remove entries of\n"
    "             dead sessions, and exit\n"
    "  -t         check the configuration, and exit 0 or 1\n"
    "  -T         print the configuration that is in force\n"
    "  -u         go on if the http process cannot be confined\n"
    "  -v         log every heartbeat\n"
    "  -c FILE    configuration (default " CONF_DEFAULT_FILE ")\n"
    "  --help     this text\n"
    "  --version  the version\n";

struct options {
    const char *conf_file;
    bool to_stderr, unconfined, verbose, check, print, prepare;
};

struct leased {
    struct options options;
    struct engine engine;
    struct sockets sockets;
    struct site_page site;
};

static int print_effective(const struct conf *conf)
{
    struct buf text = {0};
    conf_print(conf, &text);
    int rc = buf_text(&text) != NULL && fputs(buf_text(&text), stdout) >= 0 && fflush(stdout) == 0
                 ? EXIT_SUCCESS
                 : EXIT_FAILURE;
    buf_release(&text);
    return rc;
}

/* Closes r. */
static void clear_dead_of(struct registry *r)
{
    enum { CLEAR_MS = 1000 };
    struct session_list list;
    if (registry_read(r, 0, &list) == 0) {
        (void)registry_remove_dead(r, &list, clock_monotonic_ms() + CLEAR_MS);
        session_list_release(&list);
    }
    registry_close(r);
}

/* Removes registry entries of dead sessions and join connections that did not remove them
 * themselves. Only root can. If a registry cannot be opened, the engine cannot either, and logs it.
 */
static void clear_dead_entries(const struct conf *conf)
{
    struct registry r;
    if (registry_open(conf->paths.run_dir, true, &r) == 0)
        clear_dead_of(&r);
    if (join_registry_open(conf->paths.run_dir, true, &r) == 0)
        clear_dead_of(&r);
}

/* leased -P. The unit runs this as root before the service, which is not root and cannot do it. */
static int prepare_run_dir(const struct conf *conf)
{
    if (directories_make_run_dir(conf) != 0)
        return EXIT_FAILURE;
    clear_dead_entries(conf);
    return EXIT_SUCCESS;
}

/* While sessions are up, does not make a missing store: an empty one would end them all. */
static enum store_rc open_store(const struct conf *conf, struct store **ret,
                                char err[static STORE_ERROR_BYTES])
{
    return registry_has_none(conf->paths.run_dir)
               ? store_open_write(conf->paths.database, ret, err)
               : store_open_existing(conf->paths.database, ret, err);
}

/* ---- called by the engine ---- */

static pid_t start_http(void *arg, const struct conf *conf, int *ret_fd)
{
    struct leased *l = arg;
    (void)conf;
    return http_process_start(&(struct http_process_options){.sockets = &l->sockets,
                                                             .site_fd = l->site.fd,
                                                             .unconfined = l->options.unconfined,
                                                             .to_stderr = l->options.to_stderr},
                              ret_fd);
}

static bool reload(void *arg, struct conf *conf, struct api_keys *keys)
{
    struct leased *l = arg;
    if (configuration_reload(l->options.conf_file, conf, keys) != 0)
        return false;
    (void)site_page_update(&l->site, conf);
    sockets_warn_of_join(&l->sockets, conf);
    log_event(&event_conf_reloaded, NULL, "configuration reloaded");
    return true;
}

static int serve(struct leased *l)
{
    struct engine *e = &l->engine;
    char err[STORE_ERROR_BYTES], backup[STORE_BACKUP_NAME_BYTES];
    struct store *st = NULL;
    int lock_fd = -1;
    e->callbacks = (struct engine_callbacks){.arg = l, .start_http = start_http, .reload = reload};
    e->verbose = l->options.verbose;
    /* Or everybody who can become this user could read the keys in our memory. */
    (void)prctl(PR_SET_DUMPABLE, 0);
    descriptors_raise_limit();
    (void)signal(SIGPIPE, SIG_IGN);
    /* The lock before the sockets: a second leased must not remove the first one's unix socket. */
    if (directories_make(&e->conf) != 0 || store_lock_acquire(&e->conf, &lock_fd) != 0 ||
        sockets_open(&e->conf, &l->sockets) != 0)
        return EXIT_FAILURE;
    e->foreign_network = l->sockets.from_systemd;
    clear_dead_entries(&e->conf);
    if (privileges_drop() != 0)
        return EXIT_FAILURE;
    if (open_store(&e->conf, &st, err) != STORE_OK) {
        log_event(&event_store_unusable, NULL, "%s", err);
        return EXIT_FAILURE;
    }
    if (store_migrated_from(st) != 0 &&
        store_backup_name(e->conf.paths.database, STORE_VERSION, backup) == 0)
        log_info("the store '%s' was migrated from version %d to %d; the one of before is '%s'",
                 e->conf.paths.database, store_migrated_from(st), STORE_VERSION, backup);
    if (site_page_update(&l->site, &e->conf) != 0) {
        log_error("cannot start: %s", strerror(errno));
        store_close(st);
        return EXIT_FAILURE;
    }
    e->site = l->site.shared;
    /* Never wait for a locked store: requests stay queued, and sessions are ended meanwhile. */
    store_set_timeout(st, 0);
    open_store_adopt(&e->open_store, e->conf.paths.database, st, lock_fd);
    return engine_loop(e);
}

/* False: wrong usage. */
static bool parse_options(int argc, char **argv, struct options *ret)
{
    int opt;
    while ((opt = getopt(argc, argv, "DdPtTuvc:")) != -1) {
        switch (opt) {
        case 'D':
            ret->to_stderr = true;
            break;
        case 'd':
            break;
        case 'P':
            ret->prepare = true;
            break;
        case 't':
            ret->check = true;
            break;
        case 'T':
            ret->print = true;
            break;
        case 'u':
            ret->unconfined = true;
            break;
        case 'v':
            ret->verbose = true;
            break;
        case 'c':
            ret->conf_file = optarg;
            break;
        default:
            return false;
        }
    }
    return optind == argc;
}

int main(int argc, char **argv)
{
    static struct leased l;
    const struct options *o = &l.options;
    struct conf *conf = &l.engine.conf;

    descriptors_open_standard();
    if (issue_is_askpass())
        return EXIT_SUCCESS;
    if (argc > 1 && strcmp(argv[1], "--http") == 0)
        return http_process_main(argc, argv);
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return fputs(usage_text, stdout) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        return puts("leased (tunlease) " TUNLEASE_VERSION) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    if (!parse_options(argc, argv, &l.options)) {
        (void)fputs(usage_text, stderr);
        return EXIT_USAGE;
    }
    log_init("leased", o->to_stderr || o->check || o->print);
    if (!o->check && !o->print && !o->prepare && !pace_wait())
        return EXIT_SUCCESS;
    if (configuration_load(o->conf_file, conf, &l.engine.keys) != 0 || sockets_check(conf) != 0)
        return EXIT_FAILURE;
    if (o->print)
        return print_effective(conf);
    if (o->prepare)
        return prepare_run_dir(conf);
    bool may_join = configuration_check_join(conf);
    if (o->check)
        return may_join ? EXIT_SUCCESS : EXIT_FAILURE;
    return serve(&l);
}
