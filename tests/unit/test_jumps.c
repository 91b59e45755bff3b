/* SPDX-License-Identifier: ISC */
/* The note that leased keeps beside the store: what is written is read, and older notes, too. */
#include "lib/store/jumps.h"

#include "tests/unit/helpers.h"

#include <fcntl.h>
#include <unistd.h>

static int note_file(const char *text)
{
    char name[] = "/tmp/test_jumps.XXXXXX";
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    assert_int_equal(unlink(name), 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    return fd;
}

static void what_is_written_is_read(void **state)
{
    /* The largest numbers: the note must hold them. */
    const struct jump_note written = {.boot_id = "0d9d2a5e-9c3b-4d55-8f8f-1f0e7f6f2b11",
                                      .wall_minus_boot_s = INT64_MIN,
                                      .jumped_boot_ms = INT64_MAX,
                                      .jumped_s = INT64_MIN + 1,
                                      .conf_read_s = INT64_MAX - 1};
    struct jump_note got = {.conf_read_s = 0};
    (void)state;
    int fd = note_file(
        "what stood there before, and was longer than what comes, by a good deal: "
        "..............................................................................."
        "...............................................................................");
    assert_int_equal(jump_note_write(fd, &written), 0);
    assert_true(jump_note_read(fd, &got));
    assert_string_equal(got.boot_id, written.boot_id);
    assert_int_equal(got.wall_minus_boot_s, written.wall_minus_boot_s);
    assert_int_equal(got.jumped_boot_ms, written.jumped_boot_ms);
    assert_int_equal(got.jumped_s, written.jumped_s);
    assert_int_equal(got.conf_read_s, written.conf_read_s);
    assert_int_equal(close(fd), 0);
}

static void older_and_broken_notes(void **state)
{
    struct jump_note got = {.conf_read_s = 7};
    (void)state;
    int fd = note_file("");
    assert_false(jump_note_read(fd, &got));
    assert_int_equal(close(fd), 0);
    fd = note_file("boot abc\nwall_minus_boot_s 1\njumped_boot_ms 2\n");
    assert_false(jump_note_read(fd, &got));
    assert_int_equal(got.conf_read_s, 7);
    assert_int_equal(close(fd), 0);
    fd = note_file("boot abc\nwall_minus_boot_s 1\njumped_boot_ms 2\njumped_s 3\n");
    assert_true(jump_note_read(fd, &got));
    assert_int_equal(got.jumped_s, 3);
    assert_int_equal(got.conf_read_s, 0);
    assert_int_equal(close(fd), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(older_and_broken_notes),
    };
    return cmocka_run_group_tests_name("jumps", tests, NULL, NULL);
}
