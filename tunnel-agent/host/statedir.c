/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/host/statedir.h"

#include "lib/base/durable.h"

#include <bsd/string.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Makes the directory if it is missing, and checks that it is ours and nobody else may write it. */
static int own_directory(const char *path, char why[static WHY_BYTES])
{
    struct stat st;
    /* What is saved in it is lost with its name. */
    if (mkdir(path, 0700) == 0 ? durable_name(path) != 0 : errno != EEXIST) {
        (void)snprintf(why, WHY_BYTES, "cannot make the state directory '%s': %s", path,
                       strerror(errno));
        return -1;
    }
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        (void)snprintf(why, WHY_BYTES, "cannot open the state directory '%s': %s", path,
                       strerror(errno));
        if (fd >= 0)
            (void)close(fd);
        return -1;
    }
    int rc = -1;
    if (st.st_uid != geteuid())
        (void)snprintf(why, WHY_BYTES,
                       "the state directory '%s' belongs to another user: set STATE_DIR to one of "
                       "your own",
                       path);
    else if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        (void)snprintf(why, WHY_BYTES,
                       "others may write the state directory '%s': run 'chmod 700 %s' and check "
                       "what is in it",
                       path, path);
    else if ((st.st_mode & 077) != 0 && fchmod(fd, 0700) != 0)
        (void)snprintf(why, WHY_BYTES, "cannot make '%s' private: %s", path, strerror(errno));
    else
        rc = 0;
    (void)close(fd);
    return rc;
}

int statedir_open(struct statedir *d, char why[static WHY_BYTES])
{
    const char *set = getenv("STATE_DIR"), *home = getenv("HOME");
    int n;
    if (set != NULL && set[0] != '\0')
        n = snprintf(d->path, sizeof(d->path), "%s", set);
    else
        n = snprintf(d->path, sizeof(d->path), "%s/.ssh-tunnel", home != NULL ? home : "");
    if (d->path[0] != '/') {
        (void)snprintf(why, WHY_BYTES, "%s is no absolute path",
                       set != NULL && set[0] != '\0' ? "STATE_DIR" : "HOME");
        return -1;
    }
    if (n < 0 || (size_t)n + 5 > sizeof(d->path)) {
        (void)strlcpy(why, "the state directory's path is too long", WHY_BYTES);
        return -1;
    }
    (void)strlcpy(d->run, d->path, sizeof(d->run));
    (void)strlcat(d->run, "/run", sizeof(d->run));
    return own_directory(d->path, why) == 0 ? own_directory(d->run, why) : -1;
}

char *statedir_file(const struct statedir *d, const char *name)
{
    char *path = NULL;
    return asprintf(&path, "%s/%s", d->path, name) < 0 ? NULL : path;
}

char *statedir_read(const struct statedir *d, const char *name)
{
    char *path = statedir_file(d, name), *text = NULL;
    int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
    size_t len = 0;
    ssize_t n = -1;

    if (fd < 0)
        goto out;
    text = malloc(STATEDIR_FILE_MAX + 1);
    while (text != NULL && len <= STATEDIR_FILE_MAX &&
           (n = read(fd, text + len, STATEDIR_FILE_MAX + 1 - len)) > 0)
        len += (size_t)n;
    if (text == NULL || n != 0 || memchr(text, '\0', len) != NULL) {
        free(text);
        text = NULL;
        goto out;
    }
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        len--;
    text[len] = '\0';
out:
    if (fd >= 0)
        (void)close(fd);
    free(path);
    return text;
}

bool statedir_has(const struct statedir *d, const char *name)
{
    char *path = statedir_file(d, name);
    struct stat st;
    bool is_missing = path != NULL && lstat(path, &st) != 0 && errno == ENOENT;
    free(path);
    return !is_missing;
}

int statedir_write(const struct statedir *d, const char *name, const char *text)
{
    char *path = statedir_file(d, name), *temp = NULL;
    int fd = -1, rc = -1;
    size_t len = strlen(text);

    if (path == NULL || asprintf(&temp, "%s.new", path) < 0)
        goto out;
    (void)unlink(temp);
    fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        goto out;
    for (size_t done = 0; done < len;) {
        ssize_t n = write(fd, text + done, len - done);
        if (n < 0)
            goto out;
        done += (size_t)n;
    }
    /* The gateway gives a secret only once, so the file must survive a power cut: the old one or
     * the new one, whole. */
    if (fsync(fd) != 0 || rename(temp, path) != 0 || durable_name(path) != 0)
        goto out;
    rc = 0;
out:
    if (fd >= 0)
        (void)close(fd);
    if (rc != 0 && temp != NULL) {
        int saved = errno;
        (void)unlink(temp);
        errno = saved;
    }
    free(temp);
    free(path);
    return rc;
}

/* The pid that the holder has written; 0: it cannot be read. */
static long read_holder(int fd)
{
    char text[24];
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    return strtol(text, NULL, 10);
}

int statedir_lock(const struct statedir *d, char why[static WHY_BYTES])
{
    char *path = statedir_file(d, "lock"), text[24];
    int fd = path != NULL ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    free(path);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
        /* For the sentence below alone: that it cannot be written changes nothing. */
        int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
        if (ftruncate(fd, 0) == 0)
            (void)!pwrite(fd, text, (size_t)len, 0);
        return 0; /* fd stays open: closing it would release the lock */
    }
    if (fd >= 0 && errno == EWOULDBLOCK && read_holder(fd) > 0)
        (void)snprintf(why, WHY_BYTES,
                       "another agent, pid %ld, runs with the state directory '%s': stop it, or "
                       "give this one another STATE_DIR",
                       read_holder(fd), d->path);
    else
        (void)snprintf(why, WHY_BYTES,
                       "another agent runs with the state directory '%s', or it cannot be locked: "
                       "%s",
                       d->path, strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

void statedir_sweep(const struct statedir *d)
{
    DIR *dir = opendir(d->run);
    if (dir == NULL)
        return;
    for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
        long pid = strtol(e->d_name, NULL, 10);
        if (pid > 0 && pid <= INT32_MAX && kill((pid_t)pid, 0) != 0 && errno == ESRCH &&
            unlinkat(dirfd(dir), e->d_name, 0) != 0) {
            char link[STATEDIR_PATH_BYTES + 300]; /* the link in PID-bin, see ssh/jump.h */
            (void)snprintf(link, sizeof(link), "%s/%s/ssh", d->run, e->d_name);
            (void)unlink(link);
            (void)unlinkat(dirfd(dir), e->d_name, AT_REMOVEDIR);
        }
    }
    (void)closedir(dir);
}
