/* SPDX-License-Identifier: ISC */
#include "lib/store/jumps.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_BYTES = 256 };

void jump_boot_id(char out[static JUMP_BOOT_ID_BYTES])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, out, JUMP_BOOT_ID_BYTES - 1) : -1;
    if (fd >= 0)
        (void)close(fd);
    out[n > 0 ? n : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
}

bool jump_note_read(int fd, struct jump_note *ret)
{
    char text[TEXT_BYTES];
    long long minus_s, jumped_boot_ms, jumped_s, conf_read_s = 0;
    struct jump_note n;
    ssize_t len = pread(fd, text, sizeof(text) - 1, 0);
    text[len > 0 ? len : 0] = '\0';
    if (sscanf(text,
               "boot %39s wall_minus_boot_s %lld jumped_boot_ms %lld jumped_s %lld conf_read_s "
               "%lld",
               n.boot_id, &minus_s, &jumped_boot_ms, &jumped_s, &conf_read_s) < 4)
        return false;
    n.wall_minus_boot_s = minus_s;
    n.jumped_boot_ms = jumped_boot_ms;
    n.jumped_s = jumped_s;
    n.conf_read_s = conf_read_s;
    *ret = n;
    return true;
}

int jump_note_write(int fd, const struct jump_note *n)
{
    char text[TEXT_BYTES];
    int len = snprintf(text, sizeof(text),
                       "boot %s\nwall_minus_boot_s %lld\njumped_boot_ms %lld\njumped_s %lld\n"
                       "conf_read_s %lld\n",
                       n->boot_id, (long long)n->wall_minus_boot_s, (long long)n->jumped_boot_ms,
                       (long long)n->jumped_s, (long long)n->conf_read_s);
    return pwrite(fd, text, (size_t)len, 0) == len && ftruncate(fd, len) == 0 ? 0 : -1;
}

bool jump_is_recent(const struct jump_note *n, int64_t wall_s, int64_t boot_ms)
{
    char boot_id[JUMP_BOOT_ID_BYTES];
    jump_boot_id(boot_id);
    if (strcmp(n->boot_id, boot_id) == 0) {
        int64_t step = wall_s - boot_ms / 1000 - n->wall_minus_boot_s;
        return step > JUMP_LEAST_S || step < -JUMP_LEAST_S ||
               (n->jumped_boot_ms != 0 &&
                boot_ms - n->jumped_boot_ms < INT64_C(1000) * JUMP_CAUTION_S);
    }
    /* Another boot, or unknown: only the clock that was set can say how long ago it was. */
    int64_t ago_s = wall_s - n->jumped_s;
    return n->jumped_s != 0 && ago_s >= 0 && ago_s < JUMP_CAUTION_S;
}
