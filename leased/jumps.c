/* SPDX-License-Identifier: ISC */
/*
 * Steps of the wall clock against the boot clock: for an hour of the second, nothing that cannot be
 * undone (DESIGN 9). What is known is kept in the file that is locked anyway, so that neither a
 * restart nor a step while no leased ran is forgotten.
 */
#include "leased/engine.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BOOT_ID_BYTES = 40, TEXT_BYTES = 192 };

/* "" where it cannot be read: then no two boots are the same. */
static void read_boot_id(char out[static BOOT_ID_BYTES])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, out, BOOT_ID_BYTES - 1) : -1;
    if (fd >= 0)
        (void)close(fd);
    out[n > 0 ? n : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
}

/* Not flushed: it has to outlive leased, not the machine. */
static void keep(struct engine *e)
{
    char boot_id[BOOT_ID_BYTES], text[TEXT_BYTES];
    if (e->lock_fd <= 0)
        return;
    read_boot_id(boot_id);
    int n = snprintf(
        text, sizeof(text), "boot %s\nwall_minus_boot_s %lld\njumped_boot_ms %lld\njumped_s %lld\n",
        boot_id, (long long)e->wall_minus_boot_s, (long long)e->jumped_ms, (long long)e->jumped_s);
    if (pwrite(e->lock_fd, text, (size_t)n, 0) != n || ftruncate(e->lock_fd, n) != 0)
        log_warn("cannot note the clock beside the store: %m");
    e->kept_wall_minus_boot_s = e->wall_minus_boot_s;
}

void jumps_look(struct engine *e)
{
    int64_t now_ms = clock_boot_ms(), minus = engine_now_s() - now_ms / 1000;
    int64_t jump = minus - e->wall_minus_boot_s, drift = minus - e->kept_wall_minus_boot_s;
    bool jumped = e->wall_minus_boot_s != 0 && (jump > CLOCK_JUMP_S || jump < -CLOCK_JUMP_S);
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
    char text[TEXT_BYTES], was[BOOT_ID_BYTES], is[BOOT_ID_BYTES];
    long long minus_s, jumped_boot_ms, jumped_s;
    ssize_t n = e->lock_fd > 0 ? pread(e->lock_fd, text, sizeof(text) - 1, 0) : -1;
    text[n > 0 ? n : 0] = '\0';
    read_boot_id(is);
    if (sscanf(text, "boot %39s wall_minus_boot_s %lld jumped_boot_ms %lld jumped_s %lld", was,
               &minus_s, &jumped_boot_ms, &jumped_s) == 4) {
        int64_t ago_s = engine_now_s() - jumped_s;
        if (strcmp(was, is) == 0) {
            e->wall_minus_boot_s = minus_s;
            e->jumped_ms = jumped_boot_ms;
            e->jumped_s = jumped_s;
        } else if (jumped_s != 0 && ago_s >= 0 && ago_s < CLOCK_CAUTION_MS / 1000) {
            /* How long ago it was, only the clock that jumped could say: the hour begins anew. */
            e->jumped_ms = clock_boot_ms();
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
    return e->jumped_ms != 0 && clock_boot_ms() - e->jumped_ms < CLOCK_CAUTION_MS;
}
