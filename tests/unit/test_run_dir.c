/* SPDX-License-Identifier: ISC */
/* RunDir is made where it is missing, also by several makers at once, and nothing that belongs to
 * another user is used. */
#include "lib/session/run_dir.h"

#include "lib/session/registry.h"

#include "tests/unit/helpers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

static char *dir, *run;

static int make_place(void **state)
{
    (void)state;
    dir = temp_dir_make();
    run = path_in(dir, "run");
    return 0;
}

static int remove_place(void **state)
{
    (void)state;
    free(run);
    temp_dir_remove(dir);
    return 0;
}

static size_t names_in(const char *path)
{
    size_t n = 0;
    DIR *d = opendir(path);
    assert_non_null(d);
    while (readdir(d) != NULL)
        n++;
    (void)closedir(d);
    return n - 2; /* . and .. */
}

static mode_t mode_of(const char *name)
{
    char *path = path_in(dir, name);
    struct stat st;
    mode_t mode = lstat(path, &st) == 0 && st.st_uid == geteuid() ? st.st_mode & 07777 : 0;
    free(path);
    return mode;
}

static void check_made(const char *what)
{
    CHECK(what, mode_of("run") == 0750);
    CHECK(what, mode_of("run/sessions") == 0750);
    CHECK(what, mode_of("run/lock") == 0700);
    CHECK(what, mode_of("run/join") == 0750);
    CHECK(what, mode_of("run/join/sessions") == 0750);
    CHECK(what, mode_of("run/join/lock") == 0700);
    CHECK(what, names_in(dir) == 1 && names_in(run) == 3);
}

static void remove_join(void)
{
    static const char *const paths[] = {"run/join/sessions", "run/join/lock", "run/join"};
    for (size_t i = 0; i < COUNT(paths); i++) {
        char *path = path_in(dir, paths[i]);
        assert_int_equal(rmdir(path), 0);
        free(path);
    }
}

/* Each missing part is made, whatever the umask of the caller, and an existing one is not
 * changed. */
static void missing(void **state)
{
    static const char *const paths[] = {"run", "run/sessions", "run/lock", "run/join/sessions",
                                        "run/join/lock"};
    (void)state;
    mode_t mask = umask(geteuid() == 0 ? 0777 : 0077);
    assert_int_equal(run_dir_make(run), 0);
    check_made("all");
    for (size_t i = 1; i < COUNT(paths); i++) {
        char *path = path_in(dir, paths[i]);
        assert_int_equal(rmdir(path), 0);
        assert_int_equal(run_dir_make(run), 0);
        check_made(paths[i]);
        free(path);
    }
    /* As an older version left it. */
    remove_join();
    assert_int_equal(run_dir_make(run), 0);
    check_made("join");
    (void)umask(mask);
    assert_int_equal(chmod(run, 0700), 0);
    assert_int_equal(run_dir_make(run), 0);
    assert_int_equal(mode_of("run"), 0700);
}

/* 8 makers at once; in every other turn one of them is killed at some moment. Every other maker
 * finds RunDir complete when it returns. */
static void many_makers(void **state)
{
    enum { MAKERS = 8, TURNS = 24 };
    (void)state;
    for (int turn = 0; turn < TURNS; turn++) {
        pid_t pids[MAKERS];
        for (int i = 0; i < MAKERS; i++) {
            pids[i] = fork();
            assert_true(pids[i] >= 0);
            if (pids[i] == 0) {
                struct registry r;
                bool good = run_dir_make(run) == 0 && registry_open(run, true, &r) == 0;
                _exit(good ? 0 : 1);
            }
        }
        if (turn % 2 == 1)
            (void)kill(pids[turn % MAKERS], SIGKILL);
        for (int i = 0; i < MAKERS; i++) {
            int status;
            assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
            CHECK("a maker", status == 0 || (turn % 2 == 1 && WIFSIGNALED(status)));
        }
        CHECK("made", mode_of("run") == 0750 && mode_of("run/sessions") == 0750 &&
                          mode_of("run/lock") == 0700 && mode_of("run/join/lock") == 0700 &&
                          names_in(run) == 3);
        size_t names = names_in(dir);
        CHECK("nothing is left but by who was killed", names == 1 || (turn % 2 == 1 && names == 2));
        assert_int_equal(run_dir_make(run), 0);
        temp_dir_remove(strdup(dir));
        assert_int_equal(mkdir(dir, 0755), 0);
    }
}

/* Others may write to the directory in which RunDir would be made: they could replace it. */
static void unsafe(void **state)
{
    (void)state;
    assert_int_equal(chmod(dir, 01777), 0);
    assert_int_equal(run_dir_make(run), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(names_in(dir), 0);
    assert_int_equal(chmod(dir, 0755), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(dir, 65534, 0), 0);
        assert_int_equal(run_dir_make(run), -1);
        assert_int_equal(errno, EPERM);
        assert_int_equal(chown(dir, 0, 0), 0);
    }

    assert_int_equal(mkdir(run, 0777), 0);
    assert_int_equal(chmod(run, 0777), 0);
    assert_int_equal(run_dir_make(run), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(names_in(run), 0);
    assert_int_equal(chmod(run, 0755), 0);
    char *join = path_in(dir, "run/join");
    assert_int_equal(mkdir(join, 0777), 0);
    assert_int_equal(chmod(join, 0777), 0);
    assert_int_equal(run_dir_make(run), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(names_in(join), 0);
    temp_dir_remove(strdup(run));
    free(join);

    char *elsewhere = path_in(dir, "elsewhere");
    assert_int_equal(mkdir(elsewhere, 0755), 0);
    assert_int_equal(symlink(elsewhere, run), 0);
    assert_int_equal(run_dir_make(run), -1);
    assert_int_equal(names_in(elsewhere), 0);
    assert_int_equal(unlink(run), 0);
    write_file(run, "x", 1, 0600);
    assert_int_equal(run_dir_make(run), -1);
    assert_int_equal(errno, ENOTDIR);
    free(elsewhere);
}

static void paths(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "run", "/", "run/"};
    for (size_t i = 0; i < COUNT(wrong); i++)
        CHECK(wrong[i], run_dir_make(wrong[i]) == -1);
    char *deep = path_in(dir, "nowhere/run");
    assert_int_equal(run_dir_make(deep), -1);
    assert_int_equal(errno, ENOENT);
    free(deep);

    /* The parent directory may be a link: /var/run. */
    char *var = path_in(dir, "var"), *through = path_in(dir, "var/run");
    assert_int_equal(mkdir(run, 0755), 0);
    assert_int_equal(symlink("run", var), 0);
    assert_int_equal(run_dir_make(through), 0);
    assert_int_equal(mode_of("run/run/lock"), 0700);
    free(var);
    free(through);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(missing, make_place, remove_place),
        cmocka_unit_test_setup_teardown(many_makers, make_place, remove_place),
        cmocka_unit_test_setup_teardown(unsafe, make_place, remove_place),
        cmocka_unit_test_setup_teardown(paths, make_place, remove_place),
    };
    return cmocka_run_group_tests_name("run_dir", tests, NULL, NULL);
}
