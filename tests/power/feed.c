/* SPDX-License-Identifier: ISC */
#include "tests/power/feed.h"

#include <err.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SHARED_MODE = 0640, PRIVATE_MODE = 0600, DIRECTORIES_MODE = 0750, OPEN_MAX_DIRECTORIES = 8 };

static char *content;
static size_t content_bytes;

static int remove_one(const char *path, const struct stat *sb, int flag, struct FTW *where)
{
    (void)sb;
    (void)flag;
    return where->level == 0 ? 0 : remove(path);
}

static void lay_out(const char *dir, const char *name, size_t bytes, gid_t group)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
        errx(2, "the path is too long: %s", name);
    if (name[strlen(name) - 1] == '/') {
        if (mkdir(path, DIRECTORIES_MODE) != 0 || chown(path, 0, group) != 0)
            err(2, "%s", path);
        return;
    }
    if (bytes > content_bytes) {
        content_bytes = bytes;
        content = realloc(content, bytes);
    }
    if (bytes > 0 && (content == NULL || fread(content, 1, bytes, stdin) != bytes))
        errx(2, "the image of %s ends early", name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                  group != 0 ? SHARED_MODE : PRIVATE_MODE);
    if (fd < 0 || fchown(fd, 0, group) != 0 || write(fd, content, bytes) != (ssize_t)bytes ||
        close(fd) != 0)
        err(2, "%s", path);
}

bool feed_next(const char *dir, gid_t group)
{
    char line[PATH_MAX];
    if (fgets(line, sizeof(line), stdin) == NULL)
        return false;
    long files = strtol(line, NULL, 10);
    if (nftw(dir, remove_one, OPEN_MAX_DIRECTORIES, FTW_DEPTH | FTW_PHYS) != 0)
        err(2, "cannot empty %s", dir);
    for (; files > 0; files--) {
        char *name;
        if (fgets(line, sizeof(line), stdin) == NULL)
            errx(2, "the image ends early");
        size_t bytes = strtoul(line, &name, 10);
        name += *name == ' ';
        name[strcspn(name, "\n")] = '\0';
        lay_out(dir, name, bytes, group);
    }
    return true;
}
