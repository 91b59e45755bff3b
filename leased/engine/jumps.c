/* SPDX-License-Identifier: ISC */
/*
 * Steps of the wall clock against the boot clock: for an hour of the second, nothing that cannot be
 * undone (DESIGN 9). What is known is kept in the file that is locked anyway, so that neither a
 * restart nor a step while no leased ran is forgotten.
 */
#include "leased/engine/engine.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/store/jumps.h"

#include <stdio.h>
#include <string.h>

/* It has to outlive leased, not the machine. */
static void keep(struct engine *e)
{
    struct jump_note n = {.wall_minus_boot_s = e->wall_minus_boot_s,
                          .jumped_boot_ms = e->jumped_ms,
                          .jumped_s = e->jumped_s};
    if (e->lock_fd <= 0)
        return;
    jump_boot_id(n.boot_id);
    if (jump_note_write(e->lock_fd, &n) != 0)
        log_warn("cannot note the clock beside the store: %m");
    e->kept_wall_minus_boot_s = e->wall_minus_boot_s;
}

void jumps_look(struct engine *e)
{
    int64_t now_ms = clock_boot_ms(), minus = engine_now_s() - now_ms / 1000;
    int64_t jump = minus - e->wall_minus_boot_s, drift = minus - e->kept_wall_minus_boot_s;
    bool jumped = e->wall_minus_boot_s != 0 && (jump > JUMP_LEAST_S || jump < -JUMP_LEAST_S);
    e->wall_minus_boot_s = minus;
    if (jumped) {
        char detail[64];
        e->jumped_ms = now_ms;
        e->jumped_s = engine_now_s();
        (void)snprintf(detail, sizeof(detail), "by_s=%lld", (long long)jump);
        log_warn("the clock jumped %s: for an hour no lease is deleted and no port reused", detail);
        engine_record(e, RECORD_CLOCK, 0, "", engine_now_s(), detail);
    }
    if (jumped || drift > 1 || drift < -1) /* both clocks are cut to seconds */
        keep(e);
}

void jumps_start(struct engine *e)
{
    struct jump_note n;
    char boot_id[JUMP_BOOT_ID_BYTES];
    jump_boot_id(boot_id);
    if (e->lock_fd > 0 && jump_note_read(e->lock_fd, &n)) {
        if (strcmp(n.boot_id, boot_id) == 0) {
            e->wall_minus_boot_s = n.wall_minus_boot_s;
            e->jumped_ms = n.jumped_boot_ms;
            e->jumped_s = n.jumped_s;
        } else if (jump_is_recent(&n, engine_now_s(), clock_boot_ms())) {
            e->jumped_ms = clock_boot_ms(); /* the hour begins anew */
            e->jumped_s = engine_now_s();
        }
    }
    int64_t known_ms = e->jumped_ms;
    if (engine_is_cautious(e) && e->jumped_ms == known_ms) /* else it was just said */
        log_warn("the clock jumped less than an hour ago: no lease is deleted and no port reused");
}

bool engine_is_cautious(struct engine *e)
{
    jumps_look(e); /* now, and not at the next sweep: who asks is about to act */
    return e->jumped_ms != 0 && clock_boot_ms() - e->jumped_ms < INT64_C(1000) * JUMP_CAUTION_S;
}
