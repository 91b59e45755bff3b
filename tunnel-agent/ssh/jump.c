/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/ssh/jump.h"

#include "lib/base/log.h"
#include "tunnel-agent/host/exit_code.h"
#include "tunnel-agent/host/platform.h"
#include "tunnel-agent/host/statedir.h"
#include "tunnel-agent/ssh/fixed_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = STATEDIR_PATH_BYTES + 32 };

/* The name ends in ssh, because ssh begins some messages with the last part of its argv[0]. */
static const char suffix[] = "-bin/ssh";
static char directory[PATH_BYTES], name[PATH_BYTES + 8];

/* True if a shell reads path as one word: ssh puts its argv[0] unquoted into a shell command. */
static bool is_plain(const char *path)
{
    return path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                             "._/+,@-")] == '\0';
}

void sshjump_prepare(const struct statedir *state)
{
    char *self = platform_self();
    (void)snprintf(directory, sizeof(directory), "%s/%d-bin", state->run, (int)getpid());
    (void)snprintf(name, sizeof(name), "%s/ssh", directory);
    if (self == NULL || !is_plain(name) || (mkdir(directory, 0700) != 0 && errno != EEXIST) ||
        (symlink(self, name) != 0 && errno != EEXIST))
        sshjump_remove();
    free(self);
}

void sshjump_remove(void)
{
    if (name[0] == '\0')
        return;
    (void)unlink(name);
    (void)rmdir(directory);
    name[0] = '\0';
}

const char *sshjump_name(void)
{
    return name[0] != '\0' ? name : "ssh";
}

bool sshjump_is_invoked(const char *argv0)
{
    size_t len = strlen(argv0), wanted = sizeof(suffix) - 1;
    return len > wanted && strcmp(argv0 + len - wanted, suffix) == 0;
}

int sshjump_exec(int argc, char **argv)
{
    static char option[] = "-o";
    const char *setting;
    size_t n = 0;
    char **args = calloc((size_t)argc + 2 * SSHFIXED_MAX + 1, sizeof(*args));
    if (args == NULL)
        return EXIT_FAILED;
    args[n++] = argv[0]; /* unchanged, for the next hop */
    for (size_t i = 0; (setting = sshfixed_jump_option(i)) != NULL; i++) {
        args[n++] = option;
        args[n++] = strdup(setting);
    }
    for (int i = 1; i < argc; i++)
        args[n++] = argv[i];
    (void)execvp("ssh", args);
    log_error("cannot run ssh: %s", strerror(errno));
    return EXIT_FAILED;
}
