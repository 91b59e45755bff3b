/* SPDX-License-Identifier: ISC */
/* Where setup puts things: its directories, RunDir and the store. */
#include "leasectl/ctl_store.h"
#include "leasectl/setup/say.h"
#include "leasectl/setup/steps.h"
#include "lib/session/registry.h"
#include "lib/session/run_dir.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int step_directory(struct ctl *ctl, const char *path, mode_t mode, bool dry_run)
{
    struct stat st;
    if (lstat(path, &st) == 0)
        return S_ISDIR(st.st_mode) ? EXIT_DONE
                                   : ctl_error(ctl, EXIT_FAILED, "'%s' is not a directory", path);
    setup_say(ctl, dry_run, "make directory %s", path);
    if (dry_run)
        return EXIT_DONE;
    if (mkdir(path, 0700) != 0 || chmod(path, mode) != 0)
        return ctl_error(ctl, EXIT_FAILED, "cannot make '%s': %s", path, strerror(errno));
    return EXIT_DONE;
}

int step_run_dir(struct ctl *ctl, bool dry_run)
{
    static const char *const parts[] = {"", "/sessions", "/lock"};
    const char *run_dir = ctl->conf.paths.run_dir;
    char path[CONF_PATH_BYTES + 16];
    struct stat st;
    struct registry r;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s%s", run_dir, parts[i]);
        if (lstat(path, &st) != 0)
            setup_say(ctl, dry_run, "make directory %s", path);
    }
    if (dry_run)
        return EXIT_DONE;
    if (run_dir_open(run_dir, &r) == 0) {
        registry_close(&r);
        return EXIT_DONE;
    }
    if (errno == EPERM)
        return ctl_error(ctl, EXIT_FAILED,
                         "'%s', what is in it and the directory above it must be root's, and "
                         "writable by root alone",
                         run_dir);
    return ctl_error(ctl, EXIT_FAILED, "cannot make or use '%s': %s", run_dir, strerror(errno));
}

int step_store(struct ctl *ctl, bool dry_run)
{
    struct stat st;
    if (stat(ctl->conf.paths.database, &st) != 0)
        setup_say(ctl, dry_run, "make store %s", ctl->conf.paths.database);
    if (dry_run)
        return EXIT_DONE;
    int code = ctl_open_write(ctl);
    ctl_close(ctl);
    return code;
}
