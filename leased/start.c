/* SPDX-License-Identifier: ISC */
#include "leased/start.h"

#include "leased/engine/api_keys.h"
#include "leased/engine/notify.h"
#include "leased/http/http.h"
#include "lib/base/buf.h"
#include "lib/base/log.h"
#include "lib/conf/load.h"
#include "lib/lease/pubkey.h"
#include "lib/wire/control.h"

#include <arpa/inet.h>
#include <bsd/string.h>
#include <bsd/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static const char service_user[] = "_tunlease";

enum {
    BACKLOG = 4096, /* net.core.somaxconn is the limit: a herd of agents is not turned away */
    BIND_TRIES = 50,
    BIND_RETRY_MS = 20,
    HTTP_LISTENERS_MAX = CONF_LISTENERS_MAX + 1
};

/*
 * What http tells agents of this gateway: a page that both processes map, so that a reload reaches
 * http without a word between the two. It only reads.
 */
static struct control_site *site;
static int site_fd = -1;

static struct http_listener listeners[HTTP_LISTENERS_MAX];
static size_t listener_count;

/* ---- what agents are told ---- */

static void read_host_keys(struct control_site *s)
{
    glob_t files = {0};
    char line[PUBKEY_TYPE_BYTES + PUBKEY_BASE64_BYTES + PUBKEY_COMMENT_BYTES];
    size_t n = 0;
    (void)glob(TUNLEASE_SYSCONFDIR "/ssh/ssh_host_*_key.pub", 0, NULL, &files);
    for (size_t i = 0; i < files.gl_pathc && n < CONTROL_HOST_KEYS_MAX; i++) {
        struct pubkey key;
        FILE *f = fopen(files.gl_pathv[i], "re");
        if (f == NULL)
            continue;
        if (fgets(line, sizeof(line), f) != NULL &&
            pubkey_parse_file(line, strlen(line), &key) == NULL)
            (void)snprintf(s->host_keys[n++], CONTROL_HOST_KEY_BYTES, "%s %s", key.type,
                           key.base64);
        (void)fclose(f);
    }
    globfree(&files);
    if (n == 0)
        log_warn("no '%s' can be read: agents are told no host key to know this gateway by",
                 TUNLEASE_SYSCONFDIR "/ssh/ssh_host_*_key.pub");
}

static int fill_site(const struct conf *conf)
{
    if (site == NULL) {
        void *mem = MAP_FAILED;
        site_fd = memfd_create("tunlease-site", MFD_CLOEXEC);
        if (site_fd >= 0 && ftruncate(site_fd, sizeof(*site)) == 0)
            mem = mmap(NULL, sizeof(*site), PROT_READ | PROT_WRITE, MAP_SHARED, site_fd, 0);
        if (mem == MAP_FAILED)
            return -1;
        site = mem;
    }
    static struct control_site next;
    memset(&next, 0, sizeof(next));
    (void)strlcpy(next.ssh_user, conf->agent_login, sizeof(next.ssh_user));
    (void)strlcpy(next.ssh_host, conf->public_host, sizeof(next.ssh_host));
    (void)strlcpy(next.jump_user, conf->jump_user, sizeof(next.jump_user));
    (void)strlcpy(next.reverse_bind_host, conf->agent_bind_host, sizeof(next.reverse_bind_host));
    read_host_keys(&next);
    next.ssh_port = conf->public_port;
    next.control_port = conf->ceiling.control.low;
    next.heartbeat_interval_s = conf->heartbeat_interval_s;
    /* At once: http may be reading. What stays the same is not touched at any time. */
    memcpy(site, &next, sizeof(*site));
    return 0;
}

/* ---- sockets ---- */

static void describe(const struct conf_listener *l, char out[static PERMIT_TEXT_BYTES])
{
    if (l->unix_path[0] != '\0')
        (void)snprintf(out, PERMIT_TEXT_BYTES, "unix:%s", l->unix_path);
    else
        permit_format(&l->address, out);
}

static socklen_t fill_address(const struct conf_listener *l, struct sockaddr_storage *out)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    struct sockaddr_un *un = (struct sockaddr_un *)out;
    memset(out, 0, sizeof(*out));
    if (l->unix_path[0] != '\0') {
        un->sun_family = AF_UNIX;
        if (strlcpy(un->sun_path, l->unix_path, sizeof(un->sun_path)) >= sizeof(un->sun_path))
            return 0;
        return sizeof(*un);
    }
    if (inet_pton(AF_INET, l->address.host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(l->address.low);
        return sizeof(*v4);
    }
    if (inet_pton(AF_INET6, l->address.host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(l->address.low);
        return sizeof(*v6);
    }
    return 0;
}

/* The store is locked by us: who holds the address may be the http process of an engine that was
 * killed, on its way out. */
static int bind_patiently(int fd, const struct sockaddr_storage *address, socklen_t len)
{
    int rc = -1;
    for (int i = 0; i < BIND_TRIES && rc != 0; i++) {
        rc = bind(fd, (const struct sockaddr *)address, len);
        if (rc != 0 && errno != EADDRINUSE)
            break;
        if (rc != 0)
            (void)poll(NULL, 0, BIND_RETRY_MS);
    }
    return rc;
}

/*
 * Makes way for our own socket at a path: a socket that nobody listens on goes, of a leased that
 * was killed, and anything else stays. NULL, or why it cannot be had. Who still answers may be the
 * http process of an engine that was killed, on its way out.
 */
static const char *make_way(const char *path, const struct sockaddr_storage *address, socklen_t len)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return errno == ENOENT ? NULL : strerror(errno);
    if (!S_ISSOCK(st.st_mode))
        return "there is something that is no socket: leased replaces sockets alone";
    for (int i = 0; i < BIND_TRIES; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        bool refused = fd >= 0 && connect(fd, (const struct sockaddr *)address, len) != 0 &&
                       errno == ECONNREFUSED;
        if (fd >= 0)
            (void)close(fd);
        if (refused)
            return unlink(path) == 0 ? NULL : strerror(errno);
        (void)poll(NULL, 0, BIND_RETRY_MS);
    }
    return "another program listens there";
}

/* Who can connect to a listener for a proxy: its owner and the group, and nobody else. NULL, or why
 * that cannot be had. */
static const char *give_to_group(const struct conf_listener *l)
{
    const struct group *gr = getgrnam(l->proxy_group);
    if (gr == NULL)
        return "there is no such group";
    return chmod(l->unix_path, 0) == 0 && chown(l->unix_path, (uid_t)-1, gr->gr_gid) == 0 &&
                   chmod(l->unix_path, 0660) == 0
               ? NULL
               : strerror(errno);
}

static struct http_listener listener_of(const struct conf *conf, const struct conf_listener *l,
                                        int fd)
{
    return (struct http_listener){.fd = fd,
                                  .is_open = l == &conf->metrics_listen,
                                  .proxy = l->proxy_group[0] != '\0' ? conf->proxy_header
                                                                     : PROXY_HEADER_NONE};
}

/* Before anybody can connect. NULL, or why not. */
static const char *set_mode(const struct conf_listener *l)
{
    if (l->unix_path[0] == '\0')
        return NULL;
    if (l->proxy_group[0] != '\0')
        return give_to_group(l);
    return chmod(l->unix_path, 0666) == 0 ? NULL : strerror(errno);
}

static int listen_on(const struct conf *conf, const struct conf_listener *l)
{
    char name[PERMIT_TEXT_BYTES];
    struct sockaddr_storage address;
    const int on = 1;
    int fd = -1;
    socklen_t len = fill_address(l, &address);
    const char *problem = NULL;
    describe(l, name);
    if (len == 0)
        problem = "not an IPv4 or IPv6 address, or too long a path";
    else if (address.ss_family == AF_UNIX)
        problem = make_way(l->unix_path, &address, len);
    if (problem != NULL)
        goto failed;
    fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        problem = strerror(errno);
        goto failed;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (address.ss_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (bind_patiently(fd, &address, len) != 0) {
        problem = errno == EADDRINUSE ? "another program has that address" : strerror(errno);
        goto failed;
    }
    problem = set_mode(l);
    if (problem == NULL && listen(fd, BACKLOG) != 0)
        problem = strerror(errno);
    if (problem != NULL)
        goto failed;
    listeners[listener_count++] = listener_of(conf, l, fd);
    return 0;
failed:
    log_error("cannot listen on '%s': %s", name, problem);
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

static void describe_socket(const struct sockaddr_storage *have, char *out, size_t out_bytes)
{
    const struct sockaddr_in *v4 = (const void *)have;
    const struct sockaddr_in6 *v6 = (const void *)have;
    const struct sockaddr_un *un = (const void *)have;
    char host[INET6_ADDRSTRLEN] = "?";
    if (have->ss_family == AF_INET && inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host)) != NULL)
        (void)snprintf(out, out_bytes, "%s:%u", host, ntohs(v4->sin_port));
    else if (have->ss_family == AF_INET6 &&
             inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host)) != NULL)
        (void)snprintf(out, out_bytes, "[%s]:%u", host, ntohs(v6->sin6_port));
    else if (have->ss_family == AF_UNIX)
        (void)snprintf(out, out_bytes, "unix:%s", un->sun_path);
    else
        (void)snprintf(out, out_bytes, "of address family %u", have->ss_family);
}

/* systemd opened it: it must be for those alone whom its line names. */
static int check_passed_proxy(const struct conf_listener *l)
{
    struct stat st;
    const struct group *gr = getgrnam(l->proxy_group);
    if (gr != NULL && stat(l->unix_path, &st) == 0 && (st.st_mode & S_IRWXO) == 0 &&
        st.st_gid == gr->gr_gid)
        return 0;
    log_error("the socket 'unix:%s' that systemd passed is not for the group '%s' alone: "
              "SocketMode=0660 and SocketGroup=%s in a socket unit of its own, with "
              "Service=leased.service, make it so",
              l->unix_path, l->proxy_group, l->proxy_group);
    return -1;
}

/* Of a socket that systemd passed: the line of Listen or MetricsListen that names it. */
static int match_passed(const struct conf *conf, int fd)
{
    struct sockaddr_storage have, want;
    char name[128];
    socklen_t len = sizeof(have);
    memset(&have, 0, sizeof(have));
    if (getsockname(fd, (struct sockaddr *)&have, &len) != 0) {
        log_error("LISTEN_FDS names descriptor %d: %s", fd, strerror(errno));
        return -1;
    }
    for (size_t i = 0; i <= conf->listen_count; i++) {
        bool metrics = i == conf->listen_count;
        const struct conf_listener *l = metrics ? &conf->metrics_listen : &conf->listen[i];
        if (metrics && !conf->has_metrics_listen)
            break;
        socklen_t want_len = fill_address(l, &want);
        if (want_len == 0 || want.ss_family != have.ss_family)
            continue;
        bool same = have.ss_family == AF_UNIX ? strcmp(((struct sockaddr_un *)&have)->sun_path,
                                                       ((struct sockaddr_un *)&want)->sun_path) == 0
                                              : memcmp(&have, &want, want_len) == 0;
        if (!same)
            continue;
        if (l->proxy_group[0] != '\0' && check_passed_proxy(l) != 0)
            return -1;
        (void)fcntl(fd, F_SETFL, O_NONBLOCK);
        listeners[listener_count++] = listener_of(conf, l, fd);
        return 0;
    }
    describe_socket(&have, name, sizeof(name));
    log_error("systemd passed a socket (%s) that no Listen names: make ListenStream in "
              "leased.socket and Listen in tunlease.conf the same",
              name);
    return -1;
}

int start_check(const struct conf *conf)
{
    for (size_t i = 0; i < conf->listen_count; i++) {
        const struct conf_listener *l = &conf->listen[i];
        if (l->proxy_group[0] == '\0' || getgrnam(l->proxy_group) != NULL)
            continue;
        log_error("Listen unix:%s proxy %s: there is no such group", l->unix_path, l->proxy_group);
        return -1;
    }
    return 0;
}

int start_listening(const struct conf *conf, bool *ret_passed)
{
    size_t passed = notify_listen_fds();
    if (passed > HTTP_LISTENERS_MAX) {
        log_error("systemd passed %zu sockets, and %d is the most", passed, HTTP_LISTENERS_MAX);
        return -1;
    }
    *ret_passed = passed > 0;
    for (size_t i = 0; i < passed; i++)
        if (match_passed(conf, NOTIFY_FIRST_FD + (int)i) != 0)
            return -1;
    /* Nobody could reach one that was opened in here (PrivateNetwork). */
    if (passed > 0 && passed < conf->listen_count + (conf->has_metrics_listen ? 1 : 0)) {
        log_error("systemd passed %zu of the %zu sockets that Listen and MetricsListen name: give "
                  "each a ListenStream in leased.socket, and that of a proxy a socket unit of its "
                  "own, with Service=leased.service",
                  passed, conf->listen_count + (conf->has_metrics_listen ? 1 : 0));
        return -1;
    }
    if (passed > 0)
        return 0;
    for (size_t i = 0; i < conf->listen_count; i++)
        if (listen_on(conf, &conf->listen[i]) != 0)
            return -1;
    return conf->has_metrics_listen ? listen_on(conf, &conf->metrics_listen) : 0;
}

/* ---- privileges ---- */

/* By capset(2) itself: two system calls are no reason for a library. */
static int set_capabilities(uint32_t low)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{.effective = low, .permitted = low}};
    return (int)syscall(SYS_capset, &header, data);
}

int start_drop_privileges(void)
{
    const struct passwd *pw = geteuid() == 0 ? getpwnam(service_user) : NULL;
    if (pw == NULL)
        return 0;
    if (prctl(PR_SET_KEEPCAPS, 1) != 0 || initgroups(service_user, pw->pw_gid) != 0 ||
        setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) != 0 ||
        setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) != 0 ||
        set_capabilities(1U << CAP_KILL) != 0 || prctl(PR_SET_KEEPCAPS, 0) != 0) {
        log_error("cannot become %s: %s", service_user, strerror(errno));
        return -1;
    }
    return 0;
}

/* ---- http ---- */

/*
 * The http process is this program anew, not a copy of the engine: nothing that the engine ever
 * held in memory is in it. `leased --http ENGINE SITE FLAGS LISTENER...` are descriptors, and of
 * FLAGS u says unconfined, D to stderr.
 */
int start_http_main(int argc, char **argv)
{
    struct http_options options = {.engine_fd = -1};
    struct http_listener *list = listeners;
    if (argc < 5 || argc > 5 + HTTP_LISTENERS_MAX)
        return EXIT_FAILURE;
    log_init("leased", strchr(argv[4], 'D') != NULL);
    options.engine_fd = atoi(argv[2]);
    void *mem = mmap(NULL, sizeof(*site), PROT_READ, MAP_SHARED, atoi(argv[3]), 0);
    (void)close(atoi(argv[3]));
    options.unconfined = strchr(argv[4], 'u') != NULL;
    for (int i = 5; i < argc; i++)
        list[options.listener_count++] = (struct http_listener){
            .fd = atoi(argv[i]),
            .is_open = strchr(argv[i], 'm') != NULL,
            .proxy = strchr(argv[i], 'r') != NULL   ? PROXY_HEADER_REAL_IP
                     : strchr(argv[i], 'f') != NULL ? PROXY_HEADER_FORWARDED_FOR
                                                    : PROXY_HEADER_NONE};
    options.listeners = list;
    options.site = mem;
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (mem == MAP_FAILED || (geteuid() != 0 && set_capabilities(0) != 0)) {
        log_error("http cannot start: %s", strerror(errno));
        return EXIT_FAILURE;
    }
    return http_run(&options);
}

static void pass_on(int fd)
{
    (void)fcntl(fd, F_SETFD, 0);
}

/* All of its environment: what the engine was started with may hold keys, or whatever else somebody
 * trusts a service with. words: room for as many as it may have, and a NULL. */
enum { HTTP_ENV = 4, HTTP_ENV_BYTES = 1024 };
static void fill_environment(char text[static HTTP_ENV][HTTP_ENV_BYTES],
                             char *words[static HTTP_ENV + 1])
{
    /* Of its log's stream, the log's time, and to be loaded as we were. */
    static const char *const names[HTTP_ENV] = {"JOURNAL_STREAM", "TZ", "LD_LIBRARY_PATH",
                                                "LD_PRELOAD"};
    size_t n = 0;
    for (size_t i = 0; i < HTTP_ENV; i++) {
        const char *value = getenv(names[i]);
        if (value != NULL &&
            snprintf(text[n], HTTP_ENV_BYTES, "%s=%s", names[i], value) < HTTP_ENV_BYTES) {
            words[n] = text[n];
            n++;
        }
    }
    words[n] = NULL;
}

static void exec_http(const struct start_options *o, int engine_fd, pid_t engine_pid)
{
    char words[HTTP_LISTENERS_MAX + 2][16], flags[4];
    char env_text[HTTP_ENV][HTTP_ENV_BYTES], *env[HTTP_ENV + 1];
    char *argv[HTTP_LISTENERS_MAX + 6] = {(char[]){"leased"}, (char[]){"--http"}, words[0],
                                          words[1], flags};
    size_t n = 5;
    sigset_t none;

    (void)sigemptyset(&none);
    for (int sig = 1; sig < NSIG; sig++)
        (void)signal(sig, SIG_DFL);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != engine_pid)
        return;
    if (o->to_stderr) /* what of it does not wait, is not to be had a second time as another user */
        (void)dup2(log_stderr_fd(), STDERR_FILENO);
    (void)snprintf(flags, sizeof(flags), "-%s%s", o->unconfined ? "u" : "",
                   o->to_stderr ? "D" : "");
    (void)snprintf(words[0], sizeof(words[0]), "%d", engine_fd);
    (void)snprintf(words[1], sizeof(words[1]), "%d", site_fd);
    pass_on(engine_fd);
    pass_on(site_fd);
    for (size_t i = 0; i < listener_count; i++) {
        (void)snprintf(words[i + 2], sizeof(words[0]), "%d%s%s", listeners[i].fd,
                       listeners[i].is_open ? "m" : "",
                       listeners[i].proxy == PROXY_HEADER_REAL_IP         ? "r"
                       : listeners[i].proxy == PROXY_HEADER_FORWARDED_FOR ? "f"
                                                                          : "");
        pass_on(listeners[i].fd);
        argv[n++] = words[i + 2];
    }
    argv[n] = NULL;
    fill_environment(env_text, env);
    (void)execve("/proc/self/exe", argv, env);
}

pid_t start_http_process(void *arg, const struct conf *conf, int *ret_fd)
{
    int fds[2];
    if (site == NULL && fill_site(conf) != 0)
        return -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
        return -1;
    const int bytes = 1024 * 1024; /* as many packets as a batch has */
    for (int i = 0; i < 2; i++)
        (void)setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    pid_t engine_pid = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        exec_http(arg, fds[1], engine_pid);
        _exit(EXIT_FAILURE);
    }
    int saved = errno;
    (void)close(fds[1]);
    if (pid < 0) {
        (void)close(fds[0]);
        errno = saved;
        return -1;
    }
    *ret_fd = fds[0];
    return pid;
}

/* ---- reload ---- */

/* What is open stays what it is. The keyword that asks for something else, or NULL. */
static const char *needs_restart(const struct conf *now, const struct conf *next)
{
    bool same = next->listen_count == now->listen_count;
    if (strcmp(next->paths.database, now->paths.database) != 0)
        return "Database";
    if (strcmp(next->paths.run_dir, now->paths.run_dir) != 0)
        return "RunDir";
    for (size_t i = 0; same && i < now->listen_count; i++)
        same = conf_same_listener(&next->listen[i], &now->listen[i]);
    if (!same)
        return "Listen";
    if (next->proxy_header != now->proxy_header)
        return "ProxyHeader";
    if (next->has_metrics_listen != now->has_metrics_listen ||
        (now->has_metrics_listen &&
         !conf_same_listener(&next->metrics_listen, &now->metrics_listen)))
        return "MetricsListen";
    return NULL;
}

void start_reload(void *arg, struct conf *conf, struct api_keys *keys)
{
    const struct start_options *o = arg;
    char err[CONF_ERROR_BYTES];
    struct conf next;
    struct api_keys next_keys;
    struct buf warnings = {0};
    if (conf_load_daemon(o->conf_file, &next, err, &warnings) != 0) {
        log_error("the configuration was not reloaded: %s", err);
        goto out;
    }
    if (api_keys_load(&next, &next_keys, err, &warnings) != 0) {
        log_error("the configuration was not reloaded: %s", err);
        conf_release(&next);
        goto out;
    }
    conf_forget_keys(&next);
    /* Half of a new configuration is none: agents would be sent to a port that is not open. */
    const char *keyword = needs_restart(conf, &next);
    if (keyword != NULL) {
        log_error("the configuration was not reloaded, no line of it: %s is not what it was when "
                  "leased started; 'systemctl restart leased' takes all of it, and ends no tunnel",
                  keyword);
        conf_release(&next);
        goto out;
    }
    conf_release(conf);
    *conf = next;
    *keys = next_keys;
    (void)fill_site(conf);
    log_info("configuration reloaded");
out:
    buf_release(&warnings);
}
