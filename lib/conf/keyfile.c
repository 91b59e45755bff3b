/* SPDX-License-Identifier: ISC */
#include "lib/conf/keyfile.h"

#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { GROUPS_MAX = 64 };

const char keyfile_mend[] = "'chown _tunlease:root' and 'chmod 0400' it";

void keyfile_env_path(const char *conf_file, char out[static CONF_ENV_PATH_BYTES])
{
    const char *file = conf_file != NULL ? conf_file : CONF_DEFAULT_FILE;
    const char *slash = strrchr(file, '/');
    (void)snprintf(out, CONF_ENV_PATH_BYTES, "%.*sleased.env",
                   slash != NULL ? (int)(slash - file) + 1 : 0, file);
}

/* Root, the caller, or _tunlease, whose keys are in the file (docs/design.md 10). */
static bool is_trusted(uid_t uid)
{
    const struct passwd *daemon = uid != 0 && uid != geteuid() ? getpwnam("_tunlease") : NULL;
    return uid == 0 || uid == geteuid() || (daemon != NULL && daemon->pw_uid == uid);
}

const char *keyfile_trust_problem(const struct stat *st)
{
    if (!S_ISREG(st->st_mode) || !is_trusted(st->st_uid) ||
        (st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return "must be a regular file, owned by root, _tunlease or you, that only its owner may "
               "write";
    return NULL;
}

static bool akc_is_in(gid_t gid)
{
    gid_t groups[GROUPS_MAX];
    int count = GROUPS_MAX;
    const struct passwd *akc = getpwnam("_tunlease-akc");
    if (akc == NULL)
        return false;
    if (getgrouplist(akc->pw_name, akc->pw_gid, groups, &count) < 0)
        return true; /* in more than GROUPS_MAX groups: assume the worst */
    for (int i = 0; i < count; i++)
        if (groups[i] == gid)
            return true;
    return false;
}

const char *keyfile_secrecy_problem(const struct stat *st)
{
    if ((st->st_mode & S_IRWXO) != 0)
        return "can be read by everybody";
    if ((st->st_mode & S_IRGRP) != 0 && akc_is_in(st->st_gid))
        return "can be read by its group, which akc's user is in";
    return NULL;
}
