/* SPDX-License-Identifier: ISC */
#include "leasectl/host/textfile.h"

#include "lib/base/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *textfile_read(const char *path)
{
    /* A FIFO that nobody writes would hold us for ever. */
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
    char *text = f != NULL ? malloc(TEXTFILE_BYTES_MAX + 1) : NULL;
    if (text != NULL)
        text[fread(text, 1, TEXTFILE_BYTES_MAX, f)] = '\0';
    if (text != NULL && ferror(f)) {
        free(text);
        text = NULL;
    }
    if (f != NULL)
        (void)fclose(f);
    else if (fd >= 0)
        (void)close(fd);
    return text;
}

int textfile_write(const struct ctl *ctl, const char *path, const char *text)
{
    char new_path[512];
    int code = EXIT_FAILED;
    (void)snprintf(new_path, sizeof(new_path), "%s.new", path);
    (void)unlink(new_path);
    int fd = open(new_path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0)
        return ctl_error(ctl, EXIT_FAILED, "cannot write '%s': %s", new_path, strerror(errno));
    size_t len = strlen(text);
    if (write(fd, text, len) == (ssize_t)len && fchmod(fd, 0644) == 0 && fsync(fd) == 0 &&
        rename(new_path, path) == 0 && durable_name(path) == 0)
        code = EXIT_DONE;
    else
        (void)ctl_error(ctl, EXIT_FAILED, "cannot write '%s': %s", path, strerror(errno));
    (void)close(fd);
    if (code != EXIT_DONE)
        (void)unlink(new_path);
    return code;
}
