/* SPDX-License-Identifier: ISC */
#include "leasectl/host/join_place.h"

#include "lib/conf/conf.h"
#include "lib/wire/join.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

void join_place_banner(const struct conf *conf, struct buf *out)
{
    buf_add(out,
            "To join, you need a key of your own (ssh-keygen makes one) and an open invite.\n");
    if (conf->contact[0] != '\0')
        buf_addf(out, "%s\n", conf->contact);
}

static enum sight check(const char *path, mode_t type, const char *what, mode_t mode,
                        struct buf *out)
{
    const struct group *gr = getgrnam(JOIN_GROUP);
    struct stat st;
    if (lstat(path, &st) != 0) {
        const int why = errno;
        if (why == ENOENT)
            buf_addf(out, "'%s' is not there", path);
        else
            buf_addf(out, "'%s' cannot be looked at: %s", path, strerror(why));
        return why == ENOENT ? SIGHT_IS_NOT : SIGHT_CANNOT_TELL;
    }
    if ((st.st_mode & S_IFMT) != type)
        buf_addf(out, "'%s' is no %s", path, what);
    else if (st.st_uid != 0 || gr == NULL || st.st_gid != gr->gr_gid)
        buf_addf(out, "'%s' does not belong to root and the group " JOIN_GROUP, path);
    else if ((st.st_mode & 07777) != mode)
        buf_addf(out, "'%s' has the mode %04o, not %04o", path, st.st_mode & 07777, mode);
    else
        return SIGHT_IS;
    return SIGHT_IS_NOT;
}

enum sight join_place_check_directory(struct buf *out)
{
    return check(JOIN_SOCKET_DIR, S_IFDIR, "directory", JOIN_DIR_MODE, out);
}

enum sight join_place_check_socket(struct buf *out)
{
    return check(JOIN_SOCKET, S_IFSOCK, "socket", JOIN_SOCKET_MODE, out);
}

enum sight join_place_is_listened_on(void)
{
    const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = JOIN_SOCKET};
    enum sight sight = SIGHT_CANNOT_TELL;
    /* Without waiting: where its queue is full, somebody listens. */
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return sight;
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 || errno == EAGAIN)
        sight = SIGHT_IS;
    else if (errno == ECONNREFUSED || errno == ENOENT)
        sight = SIGHT_IS_NOT;
    (void)close(fd);
    return sight;
}

int join_place_make_directory(struct buf *out)
{
    const struct group *gr = getgrnam(JOIN_GROUP);
    int fd = -1, rc = -1;
    if (gr == NULL) {
        buf_add(out, "there is no group " JOIN_GROUP);
        return -1;
    }
    if ((mkdir(JOIN_SOCKET_DIR, 0700) == 0 || errno == EEXIST) &&
        (fd = open(JOIN_SOCKET_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) >= 0 &&
        fchown(fd, 0, gr->gr_gid) == 0 && fchmod(fd, JOIN_DIR_MODE) == 0)
        rc = 0;
    else
        buf_addf(out, "cannot make '" JOIN_SOCKET_DIR "': %s", strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    return rc;
}

int join_place_remove_directory(struct buf *out)
{
    if (unlink(JOIN_SOCKET) != 0 && errno != ENOENT)
        buf_addf(out, "cannot remove '" JOIN_SOCKET "': %s", strerror(errno));
    else if (rmdir(JOIN_SOCKET_DIR) != 0 && errno != ENOENT)
        buf_addf(out, "cannot remove '" JOIN_SOCKET_DIR "': %s", strerror(errno));
    else
        return 0;
    return -1;
}
