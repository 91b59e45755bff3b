/* SPDX-License-Identifier: ISC */
/* Which request of an agent is accepted, and which one is that of a copy. */
#include "lib/lease/agent_counter.h"

#include "lib/base/buf.h"
#include "lib/lease/agent_copies.h"

#include "tests/unit/helpers.h"

static struct agent_counter pair(int64_t number, uint8_t nonce)
{
    return (struct agent_counter){.number = number, .nonce = {nonce}};
}

static void judges(void **state)
{
    static const struct {
        const char *what;
        int64_t last, sent;
        uint8_t last_nonce, nonce;
        enum counter_verdict want;
    } rows[] = {
        {"an agent that never sent one", 0, 0, 0, 0, COUNTER_NEVER_SENT},
        {"the first counter", 0, 1, 0, 7, COUNTER_CURRENT},
        {"the first counter with the nonce of no counter", 0, 1, 0, 0, COUNTER_CURRENT},
        {"the first one here, of an agent that was elsewhere", 0, 9, 0, 7, COUNTER_AHEAD},
        {"the current one", 5, 6, 7, 8, COUNTER_CURRENT},
        {"the current one with the last nonce", 5, 6, 7, 7, COUNTER_CURRENT},
        {"the last pair again", 5, 5, 7, 7, COUNTER_REPEATED},
        {"the last counter with another nonce", 5, 5, 7, 8, COUNTER_OTHER},
        {"an older counter", 5, 4, 7, 8, COUNTER_OTHER},
        {"the first counter, much later", 5, 1, 7, 8, COUNTER_OTHER},
        {"the pair of one that was accepted although it was behind", 5, 3, 7, 7, COUNTER_REPEATED},
        {"none at all", 5, 0, 7, 0, COUNTER_MISSING},
        {"none at all, with the last nonce", 5, 0, 7, 7, COUNTER_MISSING},
        {"ahead by one", 5, 7, 7, 8, COUNTER_AHEAD},
        {"as far ahead as can be", 5, AGENT_COUNTER_MAX, 7, 8, COUNTER_AHEAD},
        {"at the end", AGENT_COUNTER_MAX - 1, AGENT_COUNTER_MAX, 7, 8, COUNTER_CURRENT},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct agent_counter last = pair(rows[i].last, rows[i].last_nonce),
                                   sent = pair(rows[i].sent, rows[i].nonce);
        enum counter_verdict got = agent_counter_judge(&last, &sent);
        if (got != rows[i].want)
            fail_msg("%s: %d", rows[i].what, (int)got);
    }
}

static void decides(void **state)
{
    enum { INTERVAL_S = 60, QUIET_S = 180 };
    static const struct {
        const char *what;
        enum counter_verdict verdict;
        bool is_reset, is_frozen, refuses, other_up;
        int64_t quiet_s;
        enum counter_decision want;
    } rows[] = {
        {"no counter", COUNTER_NEVER_SENT, 0, 0, 0, 0, 0, COUNTER_ACCEPT},
        {"no counter, refuse", COUNTER_NEVER_SENT, 0, 0, 1, 0, 0, COUNTER_ACCEPT},
        {"current", COUNTER_CURRENT, 0, 0, 0, 1, 0, COUNTER_ACCEPT},
        {"current, refuse", COUNTER_CURRENT, 0, 0, 1, 1, 0, COUNTER_ACCEPT},
        {"current, frozen", COUNTER_CURRENT, 0, 1, 1, 0, 0, COUNTER_STAYS_FROZEN},
        {"current, frozen, and by now newest", COUNTER_CURRENT, 0, 1, 0, 0, QUIET_S,
         COUNTER_STAYS_FROZEN},
        {"repeated", COUNTER_REPEATED, 0, 0, 1, 1, 0, COUNTER_ACCEPT},
        {"repeated, frozen", COUNTER_REPEATED, 0, 1, 1, 0, 0, COUNTER_STAYS_FROZEN},
        {"ahead", COUNTER_AHEAD, 0, 0, 1, 1, 0, COUNTER_ADOPT},
        {"older, the other one is at work", COUNTER_OTHER, 0, 0, 0, 0, 0, COUNTER_REFUSE},
        {"older, a second before three intervals", COUNTER_OTHER, 0, 0, 0, 0, QUIET_S - 1,
         COUNTER_REFUSE},
        {"older, after three intervals", COUNTER_OTHER, 0, 0, 0, 0, QUIET_S, COUNTER_RESTORE},
        {"older, after three intervals, with a session", COUNTER_OTHER, 0, 0, 0, 1, QUIET_S,
         COUNTER_REFUSE},
        {"older, refuse", COUNTER_OTHER, 0, 0, 1, 0, 0, COUNTER_FREEZE},
        {"older, refuse, after three intervals", COUNTER_OTHER, 0, 0, 1, 0, QUIET_S,
         COUNTER_FREEZE},
        {"older, the clock went back", COUNTER_OTHER, 0, 0, 0, 0, -5, COUNTER_REFUSE},
        {"missing", COUNTER_MISSING, 0, 0, 0, 0, 0, COUNTER_REFUSE},
        {"missing, after three intervals", COUNTER_MISSING, 0, 0, 0, 0, QUIET_S, COUNTER_REFUSE},
        {"missing, refuse", COUNTER_MISSING, 0, 0, 1, 0, 0, COUNTER_FREEZE},
        {"older, reset", COUNTER_OTHER, 1, 0, 1, 1, 0, COUNTER_RESET},
        {"missing, reset", COUNTER_MISSING, 1, 0, 0, 0, 0, COUNTER_RESET},
        {"current, frozen, reset", COUNTER_CURRENT, 1, 1, 1, 0, 0, COUNTER_RESET},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct counter_facts facts = {.is_reset = rows[i].is_reset,
                                            .is_frozen = rows[i].is_frozen,
                                            .refuses = rows[i].refuses,
                                            .quiet_s = rows[i].quiet_s,
                                            .heartbeat_interval_s = INTERVAL_S,
                                            .other_may_be_up = rows[i].other_up};
        enum counter_decision got = agent_counter_decide(rows[i].verdict, &facts);
        if (got != rows[i].want)
            fail_msg("%s: %d", rows[i].what, (int)got);
    }
}

static void goes_on(void **state)
{
    static const struct {
        const char *what;
        enum counter_decision decision;
        int64_t last, sent, want;
        uint8_t last_nonce, nonce, want_nonce;
    } rows[] = {
        {"no counter", COUNTER_ACCEPT, 0, 0, 0, 0, 0, 0},
        {"current", COUNTER_ACCEPT, 5, 6, 6, 7, 8, 8},
        {"repeated", COUNTER_ACCEPT, 5, 5, 5, 7, 7, 7},
        {"repeated by one that was behind", COUNTER_ACCEPT, 5, 3, 5, 7, 7, 7},
        {"ahead", COUNTER_ADOPT, 5, 90, 90, 7, 8, 8},
        {"behind: the one that was ahead is a copy now", COUNTER_RESTORE, 5, 3, 6, 7, 8, 8},
        {"reset, behind", COUNTER_RESET, 5, 3, 6, 7, 8, 8},
        {"reset, ahead", COUNTER_RESET, 5, 9, 10, 7, 8, 8},
        {"reset, repeated", COUNTER_RESET, 5, 3, 5, 7, 7, 7},
        {"reset by an agent without counter", COUNTER_RESET, 5, 0, 0, 7, 0, 0},
        {"at the end", COUNTER_ADOPT, 5, AGENT_COUNTER_MAX, AGENT_COUNTER_MAX - 1, 7, 8, 8},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct agent_counter last = pair(rows[i].last, rows[i].last_nonce),
                                   sent = pair(rows[i].sent, rows[i].nonce);
        const struct agent_counter got = agent_counter_next(rows[i].decision, &last, &sent);
        CHECK(rows[i].what, got.number == rows[i].want);
        CHECK(rows[i].what, got.nonce[0] == rows[i].want_nonce);
        CHECK(rows[i].what, agent_counter_told(&got) <= AGENT_COUNTER_MAX);
        CHECK(rows[i].what,
              agent_counter_told(&got) > rows[i].sent || rows[i].sent == AGENT_COUNTER_MAX);
    }
}

/* Two hosts with one state: whoever begins, the other one is a copy at its first own request, and
 * stays one. */
static void clones(void **state)
{
    (void)state;
    for (int first = 0; first < 2; first++) {
        struct agent_counter last = pair(41, 1), host[2] = {pair(42, 2), pair(42, 2)};
        const struct counter_facts facts = {.heartbeat_interval_s = 60};
        for (int i = 0; i < 100; i++) {
            const int who = (first + i) % 2;
            enum counter_verdict v = agent_counter_judge(&last, &host[who]);
            enum counter_decision d = agent_counter_decide(v, &facts);
            /* Both were copied with a request that waits: the second one repeats it. */
            const bool is_accepted = i < 3 || who == first;
            assert_int_equal(d, is_accepted ? COUNTER_ACCEPT : COUNTER_REFUSE);
            if (!is_accepted)
                continue;
            last = agent_counter_next(d, &last, &host[who]);
            host[who] = pair(agent_counter_told(&last), (uint8_t)(10 + i));
        }
    }
}

static void nonces(void **state)
{
    uint8_t nonce[AGENT_NONCE_BYTES] = {9};
    (void)state;
    assert_true(agent_nonce_parse("00112233445566778899aAbBcCdDeEfF", nonce));
    assert_int_equal(nonce[0], 0);
    assert_int_equal(nonce[10], 0xaa);
    assert_int_equal(nonce[15], 0xff);
    assert_false(agent_nonce_parse("", nonce));
    assert_false(agent_nonce_parse("00112233445566778899aabbccddeef", nonce));
    assert_false(agent_nonce_parse("00112233445566778899aabbccddeeff0", nonce));
    assert_false(agent_nonce_parse("00112233445566778899aabbccddeefg", nonce));
    assert_int_equal(nonce[15], 0xff);
}

static void text(void **state)
{
    const struct agent_copies full = {.last_from = "192.0.2.1",
                                      .seen_s = 1790000000,
                                      .copy_from = "fe80::1%eth0",
                                      .other_from = "192.0.2.9",
                                      .noted_s = 1790000001,
                                      .reset_wall_s = 1790000100,
                                      .reset_boot_s = 5000,
                                      .reset_from = "192.0.2.0/24,2001:db8::1"};
    struct agent_copies again;
    struct buf out = {0};
    (void)state;
    agent_copies_format(&full, &out);
    assert_true(out.len < COPIES_TEXT_BYTES);
    agent_copies_parse(buf_text(&out), &again);
    assert_memory_equal(&again, &full, sizeof(full));
    agent_copies_settle(&again);
    buf_clear(&out);
    agent_copies_format(&again, &out);
    assert_string_equal(buf_text(&out), "copy_last_from 192.0.2.1\n");
    buf_clear(&out);
    agent_copies_replace("admin 1\ncopy_seen_s 4\nhostname copy_from\ncopy_from x\nuser li\n",
                         &again, &out);
    assert_string_equal(buf_text(&out),
                        "admin 1\nhostname copy_from\nuser li\ncopy_last_from 192.0.2.1\n");
    agent_copies_parse("", &again);
    assert_int_equal(again.seen_s, 0);
    agent_copies_parse("copy_seen_s -4\ncopy_x y\ncopy_reset_wall_s 99999999999999999999\n",
                       &again);
    assert_int_equal(again.seen_s, 0);
    assert_int_equal(again.reset_wall_s, 0);
    buf_release(&out);
}

static void resets(void **state)
{
    static const struct {
        const char *what, *from, *address;
        int64_t wall_after_s, boot_after_s;
        bool want;
    } rows[] = {
        {"at once", "", "192.0.2.1", 0, 0, true},
        {"after ten minutes", "", "192.0.2.1", 600, 600, true},
        {"a second later", "", "192.0.2.1", 601, 600, false},
        {"the wall clock was set back", "", "192.0.2.1", 5, 601, false},
        {"the gateway was restarted", "", "192.0.2.1", 5, -4000, false},
        {"from where the admin says", "192.0.2.1", "192.0.2.1", 5, 5, true},
        {"from a network", "2001:db8::/32,192.0.2.0/24", "192.0.2.7", 5, 5, true},
        {"from elsewhere", "192.0.2.1", "192.0.2.2", 5, 5, false},
        {"from a unix socket", "192.0.2.1", "", 5, 5, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct agent_copies c = {.reset_wall_s = 1790000000, .reset_boot_s = 5000};
        (void)snprintf(c.reset_from, sizeof(c.reset_from), "%s", rows[i].from);
        CHECK(rows[i].what,
              agent_copies_may_reset(&c, 1790000000 + rows[i].wall_after_s,
                                     5000 + rows[i].boot_after_s, rows[i].address) == rows[i].want);
    }
    struct agent_copies none = {.seen_s = 1};
    assert_false(agent_copies_may_reset(&none, 0, 0, "192.0.2.1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges), cmocka_unit_test(decides), cmocka_unit_test(goes_on),
        cmocka_unit_test(clones), cmocka_unit_test(nonces),  cmocka_unit_test(text),
        cmocka_unit_test(resets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
