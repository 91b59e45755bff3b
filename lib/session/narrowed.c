/* SPDX-License-Identifier: ISC */
#include "lib/session/narrowed.h"

#include "lib/session/registry_lock.h"
#include "lib/session/registry_names.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT_BYTES = 24 + ORIGIN_BOOT_BYTES };

static int write_record(const struct registry *r, int64_t lease_id, uint64_t ticks)
{
    char name[REGISTRY_NAME_BYTES], temporary[REGISTRY_NAME_BYTES + 1], text[TEXT_BYTES];
    narrowed_name(lease_id, name);
    (void)snprintf(temporary, sizeof(temporary), ".%s", name);
    int len = snprintf(text, sizeof(text), "%" PRIu64 "\n%s\n", ticks, r->here.boot_id);
    (void)unlinkat(r->lock_fd, temporary, 0); /* of a writer that died */
    int fd =
        openat(r->lock_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    errno = EIO; /* a short write sets none */
    bool written = write(fd, text, (size_t)len) == len;
    int saved = errno;
    (void)close(fd);
    if (written && renameat(r->lock_fd, temporary, r->lock_fd, name) == 0)
        return 0;
    saved = written ? errno : saved;
    (void)unlinkat(r->lock_fd, temporary, 0);
    errno = saved;
    return -1;
}

int narrowed_record(const struct registry *r, int64_t lease_id, uint64_t ticks, int64_t deadline_ms)
{
    int lock = registry_lock(r, lease_id, deadline_ms);
    if (lock < 0)
        return -1;
    int rc = write_record(r, lease_id, ticks);
    int saved = errno;
    (void)close(lock);
    errno = saved;
    return rc;
}

/* The first line has the ticks, the second the boot id. Older versions of tunlease wrote the first
 * line only, and read only that: either version can read a record of the other. */
static bool parse_record(char *text, uint64_t *ret_ticks, const char **ret_boot)
{
    char *end;
    errno = 0;
    *ret_ticks = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\n')
        return false;
    char *boot = end + 1;
    boot[strcspn(boot, "\n")] = '\0';
    *ret_boot = boot;
    return true;
}

bool narrowed_or_unknown_since(const struct registry *r, int64_t lease_id, uint64_t start_ticks)
{
    char name[REGISTRY_NAME_BYTES], text[TEXT_BYTES];
    const char *boot;
    uint64_t ticks;
    struct stat st;
    narrowed_name(lease_id, name);
    int fd = openat(r->lock_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno != ENOENT;
    ssize_t n = fstat(fd, &st) == 0 ? read(fd, text, sizeof(text) - 1) : -1;
    (void)close(fd);
    if (n <= 0)
        return true;
    text[n] = '\0';
    if (!parse_record(text, &ticks, &boot))
        return true;
    return start_ticks <= ticks && !origin_is_earlier_boot(&r->here, boot, st.st_mtime);
}
