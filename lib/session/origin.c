/* SPDX-License-Identifier: ISC */
#include "lib/session/origin.h"

#include "lib/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void origin_read(struct origin *ret)
{
    struct origin o = {.pid_namespace = 0};
    struct stat st;
    ssize_t n = -1;
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        n = read(fd, o.boot_id, sizeof(o.boot_id) - 1);
        (void)close(fd);
    }
    if (n != sizeof(o.boot_id) - 1) /* a part of one is not used */
        o.boot_id[0] = '\0';
    if (stat("/proc/self/ns/pid", &st) == 0)
        o.pid_namespace = st.st_ino;
    *ret = o;
}

static bool is_other_boot(const struct origin *here, const char *boot_id)
{
    return here->boot_id[0] != '\0' && boot_id[0] != '\0' && strcmp(here->boot_id, boot_id) != 0;
}

bool origin_is_earlier_boot(const struct origin *here, const char *boot_id, int64_t since_s)
{
    return is_other_boot(here, boot_id) && since_s < clock_now_s() - clock_boot_ms() / 1000;
}

enum sight origin_is_here(const struct origin *here, const struct origin *there, int64_t since_s)
{
    if (origin_is_earlier_boot(here, there->boot_id, since_s))
        return SIGHT_IS_NOT;
    if (here->pid_namespace == 0 || there->pid_namespace == 0 ||
        here->pid_namespace == there->pid_namespace)
        return SIGHT_IS;
    errno = EXDEV;
    return SIGHT_CANNOT_TELL;
}
