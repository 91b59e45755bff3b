/* SPDX-License-Identifier: ISC */
/* The page's last 24 hours: steps of the boot clock, with gaps where leased did not run. */
#include "leased/status/history.h"

#include "leased/watch/metrics.h"
#include "lib/base/buf.h"

#include "tests/unit/helpers.h"

#include <stdlib.h>

enum { STEP_MS = HISTORY_STEP_S * 1000 };

/* The last count numbers of a series, as they are written. */
static void check_tail(const struct history *h, int64_t boot_ms, const char *name, const char *want)
{
    struct buf out = {0};
    char begin[32];
    history_format(h, boot_ms, 1796617274, &out);
    assert_non_null(buf_text(&out));
    (void)snprintf(begin, sizeof(begin), "\"%s\":[", name);
    const char *series = strstr(buf_text(&out), begin);
    assert_non_null(series);
    const char *end = strchr(series, ']');
    size_t commas = 0;
    for (const char *s = series; s < end; s++)
        commas += *s == ',';
    assert_int_equal(commas, HISTORY_STEPS - 1);
    CHECK(want, strncmp(end - strlen(want), want, strlen(want)) == 0);
    buf_release(&out);
}

static void steps(void **state)
{
    struct history h = {.counted = {0}};
    static struct metrics m;
    int64_t boot_ms = 1000 * (int64_t)STEP_MS;
    (void)state;
    m.requests[CONTROL_HEARTBEAT][CONTROL_OK] = 5;
    history_sample(&h, &m, 3, boot_ms);
    history_sample(&h, &m, 7, boot_ms + 10000);
    m.requests[CONTROL_HEARTBEAT][CONTROL_OK] = 9;
    m.requests[CONTROL_REGISTER][CONTROL_FORBIDDEN] = 2;
    m.requests[CONTROL_HEALTH][CONTROL_UNAVAILABLE] = 100; /* a check of health is no refusal */
    m.ended[SESSION_ALLOWED + 1] = 1;
    history_sample(&h, &m, 2, boot_ms + 20000);
    check_tail(&h, boot_ms + 20000, "sessions", ",null,null,7");
    check_tail(&h, boot_ms + 20000, "heartbeats", ",null,9");
    check_tail(&h, boot_ms + 20000, "refusals", ",null,2");
    check_tail(&h, boot_ms + 20000, "ends", ",null,1");
    /* The next step, and one that was slept through. */
    history_sample(&h, &m, 1, boot_ms + STEP_MS);
    check_tail(&h, boot_ms + STEP_MS, "sessions", ",null,7,1");
    check_tail(&h, boot_ms + STEP_MS, "heartbeats", ",null,9,0");
    history_sample(&h, &m, 4, boot_ms + 3 * (int64_t)STEP_MS);
    check_tail(&h, boot_ms + 3 * (int64_t)STEP_MS, "sessions", ",null,7,1,null,4");
    /* A day later none of it is left, though the places are used again. */
    boot_ms += (int64_t)HISTORY_STEPS * STEP_MS;
    check_tail(&h, boot_ms + 3 * (int64_t)STEP_MS, "sessions", ",null,null,null,null");
    history_sample(&h, &m, 6, boot_ms + 3 * (int64_t)STEP_MS);
    check_tail(&h, boot_ms + 3 * (int64_t)STEP_MS, "sessions", ",null,null,null,6");
}

/* Just after boot there are fewer steps than a day has. */
static void after_boot(void **state)
{
    struct history h = {.counted = {0}};
    static struct metrics m;
    (void)state;
    history_sample(&h, &m, 1, 5000);
    check_tail(&h, 5000, "sessions", ",null,null,1");
    history_sample(&h, &m, 2, STEP_MS + 5000);
    check_tail(&h, STEP_MS + 5000, "sessions", ",null,1,2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(steps), cmocka_unit_test(after_boot)};
    return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
