/* SPDX-License-Identifier: ISC */
#include "join/key_file.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char directory[] = "/tmp/"; /* sshd names no other (auth.c, auth_log_authopts) */

/* More than one line with the largest key. */
enum { KEY_FILE_BYTES = AUTH_KEY_TYPE_BYTES + AUTH_KEY_BASE64_BYTES + 64 };

/* The name within the directory; NULL: path does not name a file in the directory itself. */
static const char *name_in_directory(const char *path)
{
    if (strncmp(path, directory, sizeof(directory) - 1) != 0)
        return NULL;
    const char *name = path + sizeof(directory) - 1;
    size_t len = strnlen(name, NAME_MAX + 1);
    return len == 0 || len > NAME_MAX || *name == '.' || strchr(name, '/') != NULL ? NULL : name;
}

static const char *check(int fd, uid_t uid)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return "the file that SSH_USER_AUTH names cannot be looked at";
    if (!S_ISREG(st.st_mode) || st.st_uid != uid || (st.st_mode & 07777) != 0600 ||
        st.st_nlink != 1)
        return "the file that SSH_USER_AUTH names is not one that sshd made";
    return NULL;
}

static const char *parse(int fd, struct auth_info *ret)
{
    char text[KEY_FILE_BYTES + 1];
    size_t len = 0;
    ssize_t n = 0;
    do {
        n = read(fd, text + len, KEY_FILE_BYTES - len);
        if (n > 0)
            len += (size_t)n;
    } while (n > 0 && len < KEY_FILE_BYTES);
    if (n < 0)
        return "the file that SSH_USER_AUTH names cannot be read";
    text[len] = '\0';
    if (len == KEY_FILE_BYTES || strlen(text) != len)
        return "the file that SSH_USER_AUTH names has more than a key in it";
    return auth_info_parse(text, ret);
}

const char *key_file_read(const char *path, uid_t uid, struct auth_info *ret)
{
    const char *problem = "SSH_USER_AUTH is not set";
    int dir_fd = -1, fd = -1;
    if (path == NULL)
        goto out;
    problem = "SSH_USER_AUTH names no file in /tmp";
    const char *name = name_in_directory(path);
    if (name == NULL)
        goto out;
    dir_fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    /* O_NONBLOCK: a FIFO of that name must not stop us. */
    fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    problem = "the file that SSH_USER_AUTH names cannot be opened";
    if (dir_fd < 0 || fd < 0)
        goto out;
    problem = check(fd, uid);
    if (problem == NULL)
        problem = parse(fd, ret);
out:
    if (fd >= 0)
        (void)close(fd);
    if (dir_fd >= 0)
        (void)close(dir_fd);
    return problem;
}
