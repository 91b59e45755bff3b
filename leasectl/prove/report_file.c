/* SPDX-License-Identifier: ISC */
#include "leasectl/prove/report_file.h"

#include "lib/base/durable.h"
#include "lib/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NEW_PATH_BYTES = PATH_MAX };

/* A new file beside path. -1 with errno. */
static int make_new(const char *path, char new_path[static NEW_PATH_BYTES])
{
    if (snprintf(new_path, NEW_PATH_BYTES, "%s.XXXXXX", path) >= NEW_PATH_BYTES) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return mkostemp(new_path, O_CLOEXEC);
}

static int refuse(const struct ctl *ctl, const char *path, int why)
{
    if (why == EEXIST)
        return ctl_error(ctl, EXIT_CONFLICT,
                         "'%s' is there already, and no report is replaced: name another file",
                         text_clip(path).s);
    return ctl_error(ctl, EXIT_FAILED, "cannot write '%s': %s", text_clip(path).s, strerror(why));
}

int report_file_check(const struct ctl *ctl, const char *path)
{
    char new_path[NEW_PATH_BYTES];
    struct stat st;
    if (lstat(path, &st) == 0)
        return refuse(ctl, path, EEXIST);
    int fd = make_new(path, new_path);
    if (fd < 0)
        return refuse(ctl, path, errno);
    (void)unlink(new_path);
    (void)close(fd);
    return EXIT_DONE;
}

static int write_all(int fd, const struct buf *b)
{
    for (size_t done = 0; done < b->len;) {
        const ssize_t n = write(fd, b->data + done, b->len - done);
        if (n < 0 && errno != EINTR)
            return -1;
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* link(2) replaces nothing, where rename(2) would. */
int report_file_write(const struct ctl *ctl, const char *path, const struct buf *signature,
                      const struct buf *text)
{
    char new_path[NEW_PATH_BYTES];
    int code = EXIT_DONE;
    int fd = make_new(path, new_path);
    if (fd < 0)
        return refuse(ctl, path, errno);
    if (write_all(fd, signature) != 0 || write_all(fd, text) != 0 || fsync(fd) != 0 ||
        link(new_path, path) != 0 || durable_name(path) != 0)
        code = refuse(ctl, path, errno);
    (void)unlink(new_path);
    (void)close(fd);
    return code;
}
