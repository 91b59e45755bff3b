/* SPDX-License-Identifier: ISC */
/* A file that appears when it is complete. */
#include "lib/base/fresh_file.h"

#include "tests/unit/helpers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *dir, *path;

static int set_up(void **state)
{
    (void)state;
    dir = temp_dir_make();
    path = path_in(dir, "name");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(path);
    temp_dir_remove(dir);
    return 0;
}

/* How many files the directory shows. */
static int files(void)
{
    int count = 0;
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d)) != NULL;)
        count += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    (void)closedir(d);
    return count;
}

static void make_file(const char *text, bool replace, int want_errno)
{
    struct fresh_file f;
    assert_int_equal(fresh_file_open(dir, "name", &f), 0);
    assert_int_equal(write(f.fd, text, strlen(text)), (ssize_t)strlen(text));
    errno = 0;
    assert_int_equal(fresh_file_publish(&f, 0640, replace), want_errno == 0 ? 0 : -1);
    assert_int_equal(errno, want_errno);
    fresh_file_close(&f);
    assert_int_equal(files(), 1); /* nothing else is left */
}

static void assert_file(const char *text)
{
    char got[16] = "";
    struct stat sb;
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_non_null(fgets(got, sizeof(got), file));
    assert_string_equal(got, text);
    assert_int_equal(fstat(fileno(file), &sb), 0);
    assert_int_equal(sb.st_mode & 07777, 0640);
    (void)fclose(file);
}

static void appears_whole_and_replaces_only_when_asked(void **state)
{
    (void)state;
    mode_t before = umask(077);
    make_file("one", false, 0);
    assert_file("one");
    make_file("two", false, EEXIST);
    assert_file("one");
    make_file("three", true, 0);
    assert_file("three");
    (void)umask(before);
}

static void a_link_is_replaced_and_not_followed(void **state)
{
    char *other = path_in(dir, "other");
    struct stat sb;
    (void)state;
    assert_int_equal(symlink(other, path), 0);
    make_file("one", false, EEXIST);
    make_file("one", true, 0);
    assert_int_equal(lstat(path, &sb), 0);
    assert_true(S_ISREG(sb.st_mode));
    assert_int_equal(lstat(other, &sb), -1);
    free(other);
}

static void nothing_is_left_of_one_that_is_given_up(void **state)
{
    struct fresh_file f;
    (void)state;
    assert_int_equal(fresh_file_open(dir, "name", &f), 0);
    assert_int_equal(write(f.fd, "x", 1), 1);
    fresh_file_close(&f);
    assert_int_equal(files(), 0);
    fresh_file_close(&f); /* a second time does nothing */
    assert_int_equal(fresh_file_open("/nonexistent", "name", &f), -1);
    assert_int_equal(errno, ENOENT);
}

/* A file system without nameless files. */
static void one_with_a_name_meanwhile(void **state)
{
    struct fresh_file f;
    (void)state;
    for (int replace = 0; replace <= 1; replace++) {
        assert_int_equal(fresh_file_open(dir, "name", &f), 0);
        if (!f.is_named) {
            char link[32];
            (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", f.fd);
            assert_int_equal(linkat(AT_FDCWD, link, f.dir_fd, f.temporary, AT_SYMLINK_FOLLOW), 0);
            f.is_named = true;
        }
        assert_int_equal(write(f.fd, "x", 1), 1);
        assert_int_equal(fresh_file_publish(&f, 0640, replace != 0), 0);
        fresh_file_close(&f);
        assert_int_equal(files(), 1);
        assert_file("x");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(appears_whole_and_replaces_only_when_asked, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_link_is_replaced_and_not_followed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_left_of_one_that_is_given_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_with_a_name_meanwhile, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
