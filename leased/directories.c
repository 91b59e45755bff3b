/* SPDX-License-Identifier: ISC */
#include "leased/directories.h"

#include "lib/base/log.h"
#include "lib/session/run_dir.h"

#include <bsd/string.h>
#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_directory(const char *path, uid_t uid, gid_t gid, mode_t mode)
{
    if (mkdir(path, 0700) != 0)
        return errno == EEXIST ? 0 : -1;
    return (geteuid() != 0 || lchown(path, uid, gid) == 0) && chmod(path, mode) == 0 ? 0 : -1;
}

int directories_make_run_dir(const struct conf *conf)
{
    if (run_dir_make(conf->paths.run_dir) == 0)
        return 0;
    log_error("cannot make the session registry '%s': %s; 'leasectl setup', tmpfiles.d or the "
              "first login makes it",
              conf->paths.run_dir, strerror(errno));
    return -1;
}

void directories_of_store(const struct conf *conf, char out[static DIRECTORIES_PATH_BYTES])
{
    (void)strlcpy(out, conf->paths.database, DIRECTORIES_PATH_BYTES);
    char *slash = strrchr(out, '/');
    slash[slash == out ? 1 : 0] = '\0';
}

int directories_make(const struct conf *conf)
{
    char path[DIRECTORIES_PATH_BYTES];
    const struct passwd *pw = getpwnam("_tunlease");
    uid_t uid = pw != NULL ? pw->pw_uid : geteuid();
    gid_t gid = pw != NULL ? pw->pw_gid : getegid();
    directories_of_store(conf, path);
    int rc = make_directory(path, uid, gid, 02750);
    if (rc != 0)
        log_error("cannot make '%s': %s", path, strerror(errno));
    /* Under its unit leased may not make RunDir and need not: the unit ran `leased -P` before. If
     * that failed, the first login makes it, and engine notices. */
    if (rc == 0)
        (void)directories_make_run_dir(conf);
    return rc;
}
