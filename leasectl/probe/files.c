/* SPDX-License-Identifier: ISC */
#include "leasectl/probe/files.h"

#include "leasectl/child.h"
#include "leasectl/host/sshd_settings.h"
#include "lib/base/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEYGEN_MS = 20000, TMPDIR_MAX = 50, ABANDONED_S = 5 };

#define DIRECTORY_PREFIX "leasectl-verify."
static const char lock_file[] = "lock";

/* All that a run puts into its directory. agent.sock: leasectl/probe/session.c. */
static const char *const file_names[] = {"key",        "key.pub",  "key2",        "key2.pub",
                                         "key3",       "key3.pub", "known_hosts", "socket",
                                         "agent.sock", lock_file};

/* The lock, whoever makes it; -1 with errno: another process has it, or it cannot be made. The
 * processes that a run forks have it, too, and die with the run. */
static int lock_directory(const char *path)
{
    char file[128];
    (void)snprintf(file, sizeof(file), "%s/%s", path, lock_file);
    int fd = open(file, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
        const int why = errno;
        (void)close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

static void remove_directory(const char *path)
{
    char file[128];
    for (size_t i = 0; i < sizeof(file_names) / sizeof(file_names[0]); i++)
        if (snprintf(file, sizeof(file), "%s/%s", path, file_names[i]) < (int)sizeof(file))
            (void)unlink(file);
    (void)rmdir(path);
}

/* A directory that is not locked yet may be one that was made this moment. */
static bool is_abandoned(const char *path)
{
    struct stat st;
    if (lstat(path, &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
        st.st_mtim.tv_sec + ABANDONED_S > clock_now_s())
        return false;
    int lock = lock_directory(path);
    if (lock >= 0)
        (void)close(lock);
    return lock >= 0;
}

static void remove_abandoned(const char *tmp)
{
    char path[128];
    DIR *dir = opendir(tmp);
    for (const struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;)
        if (strncmp(e->d_name, DIRECTORY_PREFIX, sizeof(DIRECTORY_PREFIX) - 1) == 0 &&
            strlen(e->d_name) == sizeof(DIRECTORY_PREFIX) - 1 + 6 &&
            snprintf(path, sizeof(path), "%s/%s", tmp, e->d_name) < (int)sizeof(path) &&
            is_abandoned(path))
            remove_directory(path);
    if (dir != NULL)
        (void)closedir(dir);
}

int files_make(struct ctl *ctl, struct probe_files *files)
{
    const char *tmp = getenv("TMPDIR");
    /* Sockets go there, and the path of a socket must be short (unix(7)). */
    if (tmp == NULL || tmp[0] != '/' || strlen(tmp) > TMPDIR_MAX)
        tmp = "/tmp";
    remove_abandoned(tmp);
    (void)snprintf(files->work_dir, sizeof(files->work_dir), "%s/" DIRECTORY_PREFIX "XXXXXX", tmp);
    if (mkdtemp(files->work_dir) == NULL) {
        files->work_dir[0] = '\0';
        return ctl_error(ctl, EXIT_FAILED, "cannot make a directory of our own: %s",
                         strerror(errno));
    }
    files->lock_fd = lock_directory(files->work_dir);
    if (files->lock_fd < 0)
        return ctl_error(ctl, EXIT_FAILED, "cannot lock it: %s", strerror(errno));
    /* Other users can reach the socket in it, since an attempt does, but cannot list the files. */
    if (chmod(files->work_dir, 0711) != 0)
        return ctl_error(ctl, EXIT_FAILED, "cannot set its mode: %s", strerror(errno));
    (void)snprintf(files->key_file, sizeof(files->key_file), "%s/key", files->work_dir);
    for (int i = 0; i < PROBE_MORE_KEYS; i++)
        (void)snprintf(files->more_key_files[i], sizeof(files->more_key_files[i]), "%s/key%d",
                       files->work_dir, i + 2);
    (void)snprintf(files->known_hosts, sizeof(files->known_hosts), "%s/known_hosts",
                   files->work_dir);
    (void)snprintf(files->socket, sizeof(files->socket), "%s/socket", files->work_dir);
    return EXIT_DONE;
}

int files_make_key(struct ctl *ctl, const char *key_file, struct lease *probe)
{
    const char *const argv[] = {"ssh-keygen",      "-q", "-t",     "ed25519", "-N", "", "-C",
                                "leasectl-verify", "-f", key_file, NULL};
    char public_file[128];
    struct child c;
    struct lease_key key = {.added_s = ctl->now_s};
    int status = child_run(&c, argv, NULL, NULL, KEYGEN_MS);
    child_release(&c);
    if (status != 0)
        return ctl_error(ctl, EXIT_FAILED,
                         "ssh-keygen failed (exit %d): is openssh-client "
                         "installed?",
                         status);
    (void)snprintf(public_file, sizeof(public_file), "%s.pub", key_file);
    if (!sshd_read_public_key(public_file, &key.pub))
        return ctl_error(ctl, EXIT_FAILED, "cannot read the key that ssh-keygen made");
    if (probe != NULL && lease_add_key(probe, &key) != 0)
        return ctl_error(ctl, EXIT_FAILED, "out of memory");
    return EXIT_DONE;
}

int files_pin_host_keys(struct ctl *ctl, const struct probe_files *files, const struct sshd *sshd,
                        const char *host, uint16_t port)
{
    struct buf keys = {0};
    struct pubkey key;
    unsigned count = 0;
    FILE *f = fopen(files->known_hosts, "we");
    if (sshd_host_keys(sshd, &keys) != 0) {
        int code = ctl_error(ctl, EXIT_FAILED, "%s", buf_text_or(&keys, "out of memory"));
        buf_release(&keys);
        if (f != NULL)
            (void)fclose(f);
        return code;
    }
    for (const char *at = buf_text(&keys); f != NULL && at != NULL && *at != '\0';) {
        char path[512];
        size_t len = strcspn(at, "\n");
        (void)snprintf(path, sizeof(path), "%.*s.pub", (int)len, at);
        if (sshd_read_public_key(path, &key)) {
            count++;
            if (port == 22)
                (void)fprintf(f, "%s %s %s\n", host, key.type, key.base64);
            else
                (void)fprintf(f, "[%s]:%u %s %s\n", host, port, key.type, key.base64);
        }
        at += len + (at[len] == '\n' ? 1 : 0);
    }
    buf_release(&keys);
    if (f == NULL || fclose(f) != 0)
        return ctl_error(ctl, EXIT_FAILED, "cannot write '%s': %s", files->known_hosts,
                         strerror(errno));
    return count > 0 ? EXIT_DONE
                     : ctl_error(ctl, EXIT_FAILED, "none of sshd's host keys has a readable .pub");
}

void files_remove(struct probe_files *files)
{
    if (files->work_dir[0] != '\0')
        remove_directory(files->work_dir);
    if (files->lock_fd >= 0)
        (void)close(files->lock_fd);
    *files = PROBE_FILES_NONE;
}
