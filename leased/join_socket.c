/* SPDX-License-Identifier: ISC */
#include "leased/join_socket.h"

#include "leased/own_socket.h"
#include "leased/watch/events.h"
#include "lib/base/log.h"
#include "lib/conf/conf.h"
#include "lib/conf/join_login.h"

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* 0; or -1 with errno. Only root can give it to the group; anybody else needs it to be there. */
static int make_directory(const char *path, gid_t gid)
{
    if (mkdir(path, 0700) != 0)
        return errno == EEXIST ? 0 : -1;
    return lchown(path, 0, gid) == 0 && chmod(path, 0750) == 0 ? 0 : -1;
}

int join_socket_open(const struct conf *conf)
{
    struct conf_listener l = {.proxy_group = JOIN_GROUP};
    char directory[CONF_PATH_BYTES];
    const struct group *gr = getgrnam(JOIN_GROUP);
    int fd = -1;
    if (gr == NULL) {
        log_event(&event_cannot_join, NULL,
                  "nobody can join: there is no group '%s'; 'leasectl setup --join' makes it",
                  JOIN_GROUP);
        return -1;
    }
    if (snprintf(directory, sizeof(directory), "%s-join", conf->paths.run_dir) <
            (int)sizeof(directory) &&
        snprintf(l.unix_path, sizeof(l.unix_path), "%s/socket", directory) <
            (int)sizeof(l.unix_path) &&
        (geteuid() != 0 || make_directory(directory, gr->gr_gid) == 0))
        fd = own_socket_open(&l);
    if (fd < 0)
        log_event(&event_cannot_join, NULL,
                  "nobody can join: the socket '%s' cannot be opened; only root can make '%s' "
                  "(root:%s 0750): 'leasectl setup --join', then restart leased",
                  l.unix_path, directory, JOIN_GROUP);
    return fd;
}

/* NULL, or what is wrong with who may connect. Its unit set owner and mode. */
static const char *problem_of(int fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNSPEC};
    socklen_t len = sizeof(address);
    struct stat st;
    const struct group *gr = getgrnam(JOIN_GROUP);
    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return strerror(errno);
    if (address.sun_family != AF_UNIX || len <= offsetof(struct sockaddr_un, sun_path) ||
        len >= sizeof(address) || address.sun_path[0] != '/')
        return "it is no unix socket with a path";
    /* As _tunlease, which is not in the group, leased may not enter the directory. Nor may others.
     */
    if (stat(address.sun_path, &st) != 0)
        return errno == EACCES ? NULL : strerror(errno);
    if (gr == NULL || st.st_gid != gr->gr_gid || (st.st_mode & S_IRWXO) != 0)
        return "others than the group " JOIN_GROUP " can connect to it";
    return NULL;
}

int join_socket_take(const struct conf *conf, int fd)
{
    const char *problem =
        conf->join_login[0] == '\0' ? "JoinLogin is not set in tunlease.conf" : problem_of(fd);
    if (problem == NULL) {
        (void)fcntl(fd, F_SETFL, O_NONBLOCK);
        return fd;
    }
    log_event(&event_cannot_join, NULL,
              "nobody can join: leased-join.socket has a socket, and %s; 'leasectl setup --join' "
              "sets both, 'systemctl disable --now leased-join.socket' takes the socket away",
              problem);
    (void)close(fd);
    return -1;
}

void join_socket_warn_none_passed(const struct conf *conf)
{
    if (conf->join_login[0] != '\0')
        log_event(&event_cannot_join, NULL,
                  "nobody can join: JoinLogin is set, and systemd passed no socket of "
                  "leased-join.socket: 'systemctl enable leased-join.socket', then 'systemctl "
                  "stop leased', 'systemctl start leased-join.socket leased.socket leased'; that "
                  "ends no tunnel");
}
