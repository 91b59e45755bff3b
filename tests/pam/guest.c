/* SPDX-License-Identifier: ISC */
/*
 * guest MODULE STANDIN [TEST [PAIRS]]: the module as a guest in a host program. PAIRS (1000)
 * sessions that are opened and closed leave nothing behind in the process. However akc fails to
 * answer, and whatever sshd says of the key, the login is refused in time.
 */
#include "tests/pam/guest.h"

#include "lib/base/clock.h"

#include <dirent.h>
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <syslog.h>

extern char **environ;

static int pairs = 1000;
static int stalls;
static bool watch_each = true; /* the process's state, after every call */
static bool watch_growth;      /* valgrind and the sanitizers look for leaks themselves */

static void write_sshd_service(const char *akc, const char *more)
{
    char args[1024];
    (void)snprintf(args, sizeof(args),
                   "group=nogroup akc_user=nobody conf=%s/tunlease.conf akc=%s/%s %s", dir, dir,
                   akc, more);
    write_service("sshd", args);
}

static pam_handle_t *start_sshd(const char *auth_info)
{
    pam_handle_t *pamh = start("sshd", "nobody");
    put_env(pamh, "SSH_AUTH_INFO_0", auth_info);
    put_env(pamh, "SSH_CONNECTION", KEY_SOURCE " 50000 127.0.0.1 22");
    return pamh;
}

static size_t names_in(const char *path)
{
    size_t n = 0;
    DIR *d = opendir(path);
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d)) != NULL;)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
             strstr(e->d_name, ".ns") == NULL; /* a namespace mark, which stays */
    (void)closedir(d);
    return n;
}

static size_t entries(void)
{
    char *path = path_in(dir, "run/sessions");
    size_t n = names_in(path);
    free(path);
    return n;
}

/* ---- what a guest leaves as it was ---- */

struct process_state {
    size_t descriptors;
    mode_t mask;
    char directory[512];
    struct sigaction actions[NSIG];
    sigset_t blocked;
    unsigned alarm_s;
    size_t env_count;
    size_t env_bytes;
    char *const *env;
};

static void read_state(struct process_state *s)
{
    memset(s, 0, sizeof(*s));
    s->descriptors = names_in("/proc/self/fd");
    s->mask = umask(0);
    (void)umask(s->mask);
    assert_non_null(getcwd(s->directory, sizeof(s->directory)));
    for (int sig = 1; sig < NSIG; sig++)
        (void)sigaction(sig, NULL, &s->actions[sig]);
    (void)sigprocmask(SIG_SETMASK, NULL, &s->blocked);
    s->env = environ;
    for (; environ[s->env_count] != NULL; s->env_count++)
        s->env_bytes += strlen(environ[s->env_count]);
}

static void check_state(const struct process_state *before)
{
    struct process_state now;
    read_state(&now);
    CHECK("descriptors", now.descriptors == before->descriptors);
    CHECK("umask", now.mask == before->mask);
    CHECK_TEXT("directory", now.directory, before->directory);
    for (int sig = 1; sig < NSIG; sig++)
        CHECK("signal dispositions",
              now.actions[sig].sa_handler == before->actions[sig].sa_handler &&
                  now.actions[sig].sa_flags == before->actions[sig].sa_flags);
    CHECK("blocked signals", memcmp(&now.blocked, &before->blocked, sizeof(now.blocked)) == 0);
    CHECK("environment", now.env == before->env && now.env_count == before->env_count &&
                             now.env_bytes == before->env_bytes);
    CHECK("no child, and no zombie", waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
    CHECK("nothing said", conversations == 0);
}

static long resident_kib(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%*d %ld", &pages), 1);
    (void)fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void check_pair(pam_handle_t *pamh, const struct process_state *before)
{
    put_env(pamh, "SSH_AUTH_INFO_0", KEY_LINE);
    int rc;
    int64_t took_ms;
    do {
        took_ms = clock_monotonic_ms();
        rc = pam_open_session(pamh, 0);
        took_ms = clock_monotonic_ms() - took_ms;
        /* On a host that stood still for a second the session is rightly refused. That is rare,
         * except on a slow host. */
    } while (rc == PAM_PERM_DENIED && took_ms >= 1000 && stalls++ < slow_ms(2));
    if (rc != PAM_SUCCESS)
        fail_msg("open_session: %d after %d ms", rc, (int)took_ms);
    assert_int_equal(entries(), 1);
    if (before != NULL)
        check_state(before);
    /* By now a file of the user may have forged this. It is not used. */
    put_env(pamh, "SSH_AUTH_INFO_0", "publickey ssh-ed25519 SPOOFED\n");
    for (int times = 0; times < 2; times++) { /* idempotent */
        assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(entries(), 0);
    }
    if (before != NULL)
        check_state(before);
}

/* Several pairs to a handle, since libpam loads the modules anew for each handle, which is slow. */
static void open_and_close(int count, const struct process_state *before)
{
    enum { PAIRS_A_HANDLE = 100 };
    for (int done = 0; done < count; done += PAIRS_A_HANDLE) {
        pam_handle_t *pamh = start_sshd(KEY_LINE);
        for (int i = 0; i < PAIRS_A_HANDLE && i < count - done; i++)
            check_pair(pamh, watch_each ? before : NULL);
        assert_int_equal(pam_end(pamh, 0), PAM_SUCCESS);
        check_state(before);
    }
}

static void on_signal(int sig)
{
    (void)sig;
}

/* A host process that is as unlike the defaults as possible. */
static void thousand_pairs(void **state)
{
    const struct sigaction handled = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct process_state before;
    sigset_t some;
    (void)state;
    write_sshd_service("good", "");
    int leaked = open("/dev/zero", O_RDWR); /* without O_CLOEXEC: a helper must not have it */
    assert_true(leaked >= 0);
    (void)sigaction(SIGCHLD, &handled, NULL);
    (void)sigaction(SIGTERM, &handled, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN);
    (void)sigemptyset(&some);
    (void)sigaddset(&some, SIGUSR1);
    (void)sigaddset(&some, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &some, NULL);
    assert_int_equal(chdir(dir), 0);
    (void)umask(0777); /* the mode of entries must not depend on it */

    read_state(&before);
    open_and_close(pairs / 10, &before);
    long resident = resident_kib();
    size_t used = mallinfo2().uordblks;
    open_and_close(pairs, &before);
    /* Half of the smallest block that malloc gives, for each pair. */
    if (watch_growth && mallinfo2().uordblks > used + (size_t)pairs * 16)
        fail_msg("%zu bytes more are in use", mallinfo2().uordblks - used);
    if (watch_growth && resident_kib() > resident + 512)
        fail_msg("%ld KiB more are resident", resident_kib() - resident);

    (void)umask(022);
    assert_int_equal(chdir("/"), 0);
    (void)sigprocmask(SIG_UNBLOCK, &some, NULL);
    (void)signal(SIGCHLD, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
    (void)signal(SIGINT, SIG_DFL);
    (void)close(leaked);
}

/* sudo and cron may have closed descriptors 0 to 2. The helper gets its own all the same. */
static void without_stdio(void **state)
{
    (void)state;
    write_sshd_service("good", "end=no");
    for (int closed = 1; closed < 8; closed++) {
        pid_t child = fork();
        if (child == 0) {
            for (int fd = 0; fd <= 2; fd++)
                if ((closed & 1 << fd) != 0)
                    (void)close(fd);
            pam_handle_t *pamh = start_sshd(KEY_LINE);
            int rc = pam_open_session(pamh, 0);
            (void)pam_close_session(pamh, 0);
            (void)pam_end(pamh, 0);
            _exit(rc);
        }
        int status = -1;
        assert_int_equal(waitpid(child, &status, 0), child);
        if (status != 0)
            fail_msg("descriptors %d are closed: %#x", closed, (unsigned)status);
    }
}

/* ---- akc does not answer ---- */

static void no_answer(void **state)
{
    static const struct {
        const char *akc;
        bool waits;
    } rows[] = {{"sleeps", true},   {"deaf", true},     {"trickles", true}, {"stays", true},
                {"closes", true},   {"endless", false}, {"dies", false},    {"half", false},
                {"unended", false}, {"nul", false},     {"twice", false},   {"another", false},
                {"refuses", false}, {"fails", false},   {"silent", false},  {"missing", false}};
    struct process_state before;
    (void)state;
    read_state(&before);
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (strcmp(rows[i].akc, "missing") != 0)
            copy_standin(rows[i].akc);
        write_sshd_service(rows[i].akc, "end=no");
        pam_handle_t *pamh = start_sshd(KEY_LINE);
        int64_t before_ms = clock_monotonic_ms();
        int rc = pam_open_session(pamh, 0);
        int64_t took_ms = clock_monotonic_ms() - before_ms;
        if (rc != PAM_PERM_DENIED || took_ms > slow_ms(1500) ||
            (rows[i].waits ? took_ms < 1000 : took_ms >= slow_ms(1000)))
            fail_msg("%s: %d after %d ms", rows[i].akc, rc, (int)took_ms);
        CHECK(rows[i].akc, entries() == 0);
        assert_int_equal(pam_end(pamh, 0), PAM_SUCCESS);
        check_state(&before);
    }
}

/* ---- what sshd says ---- */

static char *fill(const char *head, size_t bytes, const char *end)
{
    char *text = NULL;
    assert_true(asprintf(&text, "%s%*s%s", head, (int)bytes, "", end) > 0);
    for (char *p = text + strlen(head); *p == ' '; p++)
        *p = 'A';
    return text;
}

static void hostile_key(void **state)
{
    char *rows[] = {
        NULL,
        strdup(""),
        strdup("\n"),
        strdup("password\n"),
        strdup("publickey " KEY_TYPE " " KEY_BASE64),
        strdup(KEY_LINE KEY_LINE),
        strdup("publickey ssh-ed25519-cert-v01@openssh.com " KEY_BASE64 "\n"),
        strdup("publickey -c " KEY_BASE64 "\n"),
        strdup("publickey " KEY_TYPE " AAAA\n"),
        strdup("publickey %s%n%s%n AAAA\n"),
        fill("publickey " KEY_TYPE " ", 10 << 20, "\n"),
        fill("publickey " KEY_TYPE " ", 10 << 20, ""),
        fill("publickey ", 10 << 20, " AAAA\n"),
        calloc(1000, sizeof(KEY_LINE)),
    };
    (void)state;
    for (size_t i = 0; i < 1000; i++)
        (void)strcpy(rows[COUNT(rows) - 1] + i * (sizeof(KEY_LINE) - 1), KEY_LINE);
    write_sshd_service("good", "end=no");
    for (size_t i = 0; i < COUNT(rows); i++) {
        pam_handle_t *pamh = start_sshd(rows[i]);
        int rc = pam_open_session(pamh, 0);
        if (rc != PAM_PERM_DENIED)
            fail_msg("row %zu: %d", i, rc);
        assert_int_equal(entries(), 0);
        assert_int_equal(pam_end(pamh, 0), PAM_SUCCESS);
        free(rows[i]);
    }
}

static void hostile_source(void **state)
{
    static const struct {
        const char *connection;
        int want;
    } rows[] = {
        {KEY_SOURCE " 1 2 3", PAM_SUCCESS},
        {KEY_SOURCE, PAM_SUCCESS},
        {NULL, PAM_PERM_DENIED},
        {"", PAM_PERM_DENIED},
        {" " KEY_SOURCE, PAM_PERM_DENIED},
        {"UNKNOWN 65535 UNKNOWN 65535", PAM_PERM_DENIED},
        {"localhost 1 2 3", PAM_PERM_DENIED},
        {"192.0.2.7/8 1 2 3", PAM_PERM_DENIED},
        {"-c 1 2 3", PAM_PERM_DENIED},
        {"%s%n 1 2 3", PAM_PERM_DENIED},
        {"::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::: 1", PAM_PERM_DENIED},
    };
    (void)state;
    write_sshd_service("good", "end=no");
    for (size_t i = 0; i < COUNT(rows); i++) {
        pam_handle_t *pamh = start("sshd", "nobody");
        put_env(pamh, "SSH_AUTH_INFO_0", KEY_LINE);
        put_env(pamh, "SSH_CONNECTION", rows[i].connection);
        int rc = pam_open_session(pamh, 0);
        if (rc != rows[i].want)
            fail_msg("%s: %d", rows[i].connection, rc);
        (void)pam_close_session(pamh, 0);
        assert_int_equal(entries(), 0);
        assert_int_equal(pam_end(pamh, 0), PAM_SUCCESS);
    }
}

/* ---- no registry ---- */

/* A part of RunDir that is missing is made. One that others may write, or that is no directory,
 * lets nobody in. */
static void no_registry(void **state)
{
    enum { MISSING, WRITABLE, LINK, KINDS };
    static const char *const paths[] = {"run", "run/sessions", "run/lock"};
    (void)state;
    write_sshd_service("good", "end=no");
    for (size_t i = 0; i < COUNT(paths); i++)
        for (int how = 0; how < KINDS; how++) {
            char *path = path_in(dir, paths[i]), *away = path_in(dir, "away");
            struct stat st, made;
            assert_int_equal(stat(path, &st), 0);
            if (how == WRITABLE)
                assert_int_equal(chmod(path, 0777), 0);
            else
                assert_int_equal(rename(path, away), 0);
            if (how == LINK)
                assert_int_equal(symlink(away, path), 0);
            pam_handle_t *pamh = start_sshd(KEY_LINE);
            CHECK(paths[i],
                  pam_open_session(pamh, 0) == (how == MISSING ? PAM_SUCCESS : PAM_PERM_DENIED));
            (void)pam_close_session(pamh, 0);
            assert_int_equal(pam_end(pamh, 0), PAM_SUCCESS);
            assert_int_equal(lstat(path, &made), 0);
            if (how == MISSING) {
                CHECK(paths[i],
                      (made.st_mode & 07777) == (i == 2 ? 0700 : 0750) && made.st_uid == 0);
                assert_int_equal(renameat2(AT_FDCWD, away, AT_FDCWD, path, RENAME_EXCHANGE), 0);
                temp_dir_remove(strdup(away));
            } else if (how == LINK) {
                assert_int_equal(unlink(path), 0);
                assert_int_equal(rename(away, path), 0);
            } else {
                assert_int_equal(chmod(path, st.st_mode & 07777), 0);
            }
            free(path);
            free(away);
        }
    /* RunDir went away while the session was open: closing succeeds and does nothing. */
    char *path = path_in(dir, "run"), *away = path_in(dir, "away");
    pam_handle_t *pamh = start_sshd(KEY_LINE);
    assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
    assert_int_equal(rename(path, away), 0);
    assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
    assert_int_equal(rename(away, path), 0);
    /* close_session in a child does not remove the entry of its parent. */
    pid_t child = fork();
    if (child == 0)
        _exit(pam_close_session(pamh, 0));
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(entries(), 1);
    assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
    assert_int_equal(entries(), 0);
    assert_int_equal(pam_end(pamh, 0), PAM_SUCCESS);
    free(path);
    free(away);
}

/* ---- a refused connection ends, and nothing else does ---- */

static int status_of_refused(const char *akc, const char *more, const char *connection, uid_t euid)
{
    int status = -1;
    write_sshd_service(akc, more);
    pid_t child = fork();
    if (child == 0) {
        pam_handle_t *pamh = start("sshd", "nobody");
        put_env(pamh, "SSH_AUTH_INFO_0", KEY_LINE);
        put_env(pamh, "SSH_CONNECTION", connection);
        if (euid != 0)
            (void)!seteuid(euid);
        _exit(pam_open_session(pamh, 0));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void ends_itself(void **state)
{
    static const char connection[] = KEY_SOURCE " 1 2 3";
    const int refused = PAM_PERM_DENIED << 8;
    (void)state;
    if (getuid() != 0)
        skip();
    copy_standin("refuses");
    assert_int_equal(status_of_refused("refuses", "", connection, 0), SIGTERM);
    assert_int_equal(status_of_refused("refuses", "end=yes", connection, 0), SIGTERM);
    assert_int_equal(status_of_refused("refuses", "end=no", connection, 0), refused);
    assert_int_equal(status_of_refused("refuses", "", NULL, 0), refused);
    assert_int_equal(status_of_refused("refuses", "", connection, 65534), refused);
    assert_int_equal(status_of_refused("refuses", "unknown", connection, 0), refused);
    assert_int_equal(status_of_refused("good", "", connection, 0), 0);
    assert_int_equal(entries(), 1); /* of the last one, which was not closed */
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thousand_pairs), cmocka_unit_test(without_stdio),
        cmocka_unit_test(no_answer),      cmocka_unit_test(hostile_key),
        cmocka_unit_test(hostile_source), cmocka_unit_test(no_registry),
        cmocka_unit_test(ends_itself),
    };
    if (argc < 3) {
        (void)fputs("usage: guest MODULE STANDIN [TEST [PAIRS]]\n", stderr);
        return 2;
    }
    module_path = realpath(argv[1], NULL);
    standin_path = realpath(argv[2], NULL);
    if (module_path == NULL || standin_path == NULL)
        return 2;
    if (argc > 3)
        cmocka_set_test_filter(argv[3]);
    if (argc > 4) {
        pairs = (int)strtol(argv[4], NULL, 10);
        watch_each = false;
    }
#ifndef __SANITIZE_ADDRESS__
    watch_growth = argc <= 4;
#endif
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1); /* children that a helper leaves come to this process */
    openlog("guest", LOG_NDELAY, LOG_AUTHPRIV); /* opened now, since libc keeps the socket open */
    make_world();
    copy_standin("good");
    int failed = cmocka_run_group_tests_name("guest", tests, NULL, NULL);
    temp_dir_remove(dir);
    return failed;
}
