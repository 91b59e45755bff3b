/* SPDX-License-Identifier: ISC */
#include "leased/store_lock.h"

#include "leased/directories.h"
#include "lib/base/log.h"
#include "lib/base/privilege.h"
#include "lib/conf/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

/* leasectl checks with a shared lock, which it has for an instant: then we try again. */
static int lock_with_retry(int fd)
{
    enum { TRIES = 50, PAUSE_MS = 5 };
    for (int i = 1; flock(fd, LOCK_EX | LOCK_NB) != 0; i++) {
        if (errno != EWOULDBLOCK || i == TRIES)
            return -1;
        (void)poll(NULL, 0, PAUSE_MS);
    }
    return 0;
}

int store_lock_acquire(const struct conf *conf, int *ret_fd)
{
    char path[DIRECTORIES_PATH_BYTES];
    struct privilege privilege;
    directories_of_store(conf, path);
    if (privilege_become_owner(path, &privilege) != 0) {
        log_error("cannot act as the owner of '%s': %s", path, strerror(errno));
        return -1;
    }
    (void)snprintf(path, sizeof(path), "%s-leased", conf->paths.database);
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
    int saved = errno;
    privilege_restore(&privilege);
    errno = saved;
    if (fd >= 0 && lock_with_retry(fd) == 0) {
        *ret_fd = fd;
        return 0;
    }
    log_error(errno == EWOULDBLOCK ? "another leased runs on this store ('%s' is locked)"
                                   : "cannot lock '%s': %m",
              path);
    return -1;
}
