/* SPDX-License-Identifier: ISC */
#include "leased/watch/clock_jumps.h"

#include "leased/watch/records.h"
#include "leased/watch/events.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/store/jumps.h"

#include <stdio.h>
#include <string.h>

/* Not flushed to the disk: this has to outlive leased, not the machine. */
static void save(struct clock_jumps *j)
{
    struct jump_note n = {.wall_minus_boot_s = j->wall_minus_boot_s,
                          .jumped_boot_ms = j->jumped_ms,
                          .jumped_s = j->jumped_s,
                          .conf_read_s = j->conf_read_s};
    if (j->state_fd < 0)
        return;
    jump_boot_id(n.boot_id);
    if (jump_note_write(j->state_fd, &n) != 0)
        log_warn("cannot save the clock's state next to the store: %m; a clock jump may be "
                 "forgotten at the next start");
    j->saved_wall_minus_boot_s = j->wall_minus_boot_s;
}

void clock_jumps_check(struct clock_jumps *j)
{
    int64_t now_ms = clock_boot_ms(), minus = clock_now_s() - now_ms / 1000;
    int64_t jump = minus - j->wall_minus_boot_s, drift = minus - j->saved_wall_minus_boot_s;
    bool jumped = j->wall_minus_boot_s != 0 && (jump > JUMP_LEAST_S || jump < -JUMP_LEAST_S);
    j->wall_minus_boot_s = minus;
    if (jumped) {
        char detail[64];
        j->jumped_ms = now_ms;
        j->jumped_s = clock_now_s();
        (void)snprintf(detail, sizeof(detail), "by_s=%lld", (long long)jump);
        log_event(&event_clock_jumped, NULL,
                  "the clock jumped %s: for an hour no lease is deleted and no port reused",
                  detail);
        records_add(j->records, RECORD_CLOCK, 0, "", clock_now_s(), detail);
    }
    if (jumped || drift > 1 || drift < -1) /* each clock is rounded down to seconds */
        save(j);
}

void clock_jumps_start(struct clock_jumps *j, struct records *records, int state_fd)
{
    struct jump_note n;
    char boot_id[JUMP_BOOT_ID_BYTES];
    *j = (struct clock_jumps){
        .records = records, .state_fd = state_fd, .conf_read_s = clock_now_s()};
    jump_boot_id(boot_id);
    if (j->state_fd >= 0 && jump_note_read(j->state_fd, &n)) {
        if (strcmp(n.boot_id, boot_id) == 0) {
            j->wall_minus_boot_s = n.wall_minus_boot_s;
            j->jumped_ms = n.jumped_boot_ms;
            j->jumped_s = n.jumped_s;
        } else if (jump_is_recent(&n, clock_now_s(), clock_boot_ms())) {
            /* How long the machine was off is unknown: the hour starts again. */
            j->jumped_ms = clock_boot_ms();
            j->jumped_s = clock_now_s();
        }
    }
    int64_t known_ms = j->jumped_ms;
    /* A jump that is found now is logged by the check itself. */
    if (clock_jumps_are_recent(j) && j->jumped_ms == known_ms)
        log_event(&event_clock_jumped, NULL,
                  "the clock jumped less than an hour ago: no lease is deleted and no port reused");
}

void clock_jumps_conf_was_read(struct clock_jumps *j)
{
    j->conf_read_s = clock_now_s();
    save(j);
}

void clock_jumps_set_state_fd(struct clock_jumps *j, int state_fd)
{
    j->state_fd = state_fd;
    j->saved_wall_minus_boot_s = 0; /* makes the next check write the new file */
}

bool clock_jumps_are_recent(struct clock_jumps *j)
{
    clock_jumps_check(j); /* now, not at the next sweep: the caller is about to act */
    return j->jumped_ms != 0 && clock_boot_ms() - j->jumped_ms < INT64_C(1000) * JUMP_CAUTION_S;
}
