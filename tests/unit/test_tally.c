/* SPDX-License-Identifier: ISC */
/* The sums of `leasectl top`: what closes between two looks stays in them. */
#include "leasectl/top/tally.h"

#include "tests/unit/helpers.h"

enum { MAX = 8 };

/* One look: sessions with their pids, and what their connections have. */
struct scene {
    struct session sessions[MAX];
    size_t session_count;
    bool seen[MAX];
    struct forward forwards[MAX];
    size_t forward_count;
};

static void add_session(struct scene *s, pid_t pid, uint64_t start, bool seen)
{
    s->sessions[s->session_count] = (struct session){.pid = pid, .start_ticks = start};
    s->seen[s->session_count++] = seen;
}

static void add_forward(struct scene *s, pid_t pid, uint64_t cookie, uint64_t down, uint64_t up)
{
    s->forwards[s->forward_count++] =
        (struct forward){.pid = pid, .cookie = cookie, .has_bytes = true, .down = down, .up = up};
}

static void look(struct tally *t, struct scene *s, int64_t now_ms)
{
    const struct session_list list = {.items = s->sessions, .count = s->session_count};
    struct traffic traffic = {.forwards = s->forwards, .forward_count = s->forward_count};
    traffic.sockets.seen = s->seen;
    assert_int_equal(tally_look(t, &list, &traffic, now_ms), 0);
    assert_int_equal(t->session_count, s->session_count);
}

static void check_total(const struct tally *t, size_t session, uint64_t down, uint64_t up)
{
    assert_int_equal(t->sessions[session].total.down, down);
    assert_int_equal(t->sessions[session].total.up, up);
}

static void closed_connections_stay(void **state)
{
    struct tally t = {.connections = NULL};
    struct scene first = {.session_count = 0}, second = first, third = first;
    (void)state;
    add_session(&first, 10, 1, true);
    add_session(&first, 20, 1, true);
    add_forward(&first, 10, 7, 1000, 10);
    add_forward(&first, 10, 5, 500, 5);
    add_forward(&first, 20, 6, 50, 60);
    look(&t, &first, 1000);
    check_total(&t, 0, 1500, 15);
    check_total(&t, 1, 50, 60);
    assert_false(t.sessions[0].has_rate);

    add_session(&second, 10, 1, true);
    add_session(&second, 20, 1, true);
    add_forward(&second, 10, 7, 3000, 30); /* 5 has closed, 9 is new */
    add_forward(&second, 10, 9, 100, 1);
    look(&t, &second, 3000);
    check_total(&t, 0, 3600, 36);
    check_total(&t, 1, 50, 60);
    assert_true(t.sessions[0].has_rate);
    assert_int_equal(t.sessions[0].rate.down, 2100 / 2);
    assert_int_equal(t.sessions[1].rate.down, 0);
    assert_int_equal(tally_connection_of(&t, 7)->rate, (2000 + 20) / 2);
    assert_null(tally_connection_of(&t, 5));

    add_session(&third, 10, 1, true);
    look(&t, &third, 4000);
    check_total(&t, 0, 3600, 36);
    assert_int_equal(tally_total(&t).down, 3650); /* the session that has ended, too */
    assert_int_equal(tally_total(&t).up, 96);
    tally_release(&t);
}

static void unseen_is_not_closed(void **state)
{
    struct tally t = {.connections = NULL};
    struct scene seen = {.session_count = 0}, unseen = seen, again = seen;
    (void)state;
    add_session(&seen, 10, 1, true);
    add_forward(&seen, 10, 7, 1000, 10);
    look(&t, &seen, 1000);
    add_session(&unseen, 10, 1, false);
    look(&t, &unseen, 2000);
    assert_false(t.sessions[0].is_known);
    assert_false(t.sessions[0].has_rate);
    check_total(&t, 0, 1000, 10);
    add_session(&again, 10, 1, true);
    add_forward(&again, 10, 7, 1200, 12);
    look(&t, &again, 3000);
    assert_true(t.sessions[0].is_known);
    check_total(&t, 0, 1200, 12); /* and not counted twice */
    assert_int_equal(tally_total(&t).down, 1200);
    tally_release(&t);
}

static void a_pid_that_is_used_again(void **state)
{
    struct tally t = {.connections = NULL};
    struct scene older = {.session_count = 0}, newer = older;
    (void)state;
    add_session(&older, 10, 1, true);
    add_forward(&older, 10, 7, 1000, 10);
    look(&t, &older, 1000);
    add_session(&newer, 10, 2, true);
    add_forward(&newer, 10, 8, 5, 6);
    look(&t, &newer, 2000);
    check_total(&t, 0, 5, 6);
    assert_int_equal(tally_total(&t).down, 1005);
    tally_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closed_connections_stay),
        cmocka_unit_test(unseen_is_not_closed),
        cmocka_unit_test(a_pid_that_is_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
