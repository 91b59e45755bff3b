/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/ssh/jump.h"

#include "lib/base/log.h"
#include "tunnel-agent/host/exit_code.h"
#include "tunnel-agent/host/platform.h"
#include "tunnel-agent/host/statedir.h"
#include "tunnel-agent/ssh/forced.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = STATEDIR_PATH_BYTES + 32 };

static const char suffix[] = "-bin/ssh"; /* ssh begins some of its words with its last component */
static char directory[PATH_BYTES], name[PATH_BYTES + 8];

/* ssh puts it into a line for a shell as it is. */
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

bool sshjump_is_meant(const char *argv0)
{
    size_t len = strlen(argv0), wanted = sizeof(suffix) - 1;
    return len > wanted && strcmp(argv0 + len - wanted, suffix) == 0;
}

int sshjump_become(int argc, char **argv)
{
    static char option[] = "-o";
    const char *setting;
    size_t n = 0;
    char **words = calloc((size_t)argc + 2 * SSHFORCED_MAX + 1, sizeof(*words));
    if (words == NULL)
        return EXIT_FAILED;
    words[n++] = argv[0]; /* kept, for the next hop */
    for (size_t i = 0; (setting = sshforced_jump(i)) != NULL; i++) {
        words[n++] = option;
        words[n++] = strdup(setting);
    }
    for (int i = 1; i < argc; i++)
        words[n++] = argv[i];
    (void)execvp("ssh", words);
    log_error("cannot run ssh: %s", strerror(errno));
    return EXIT_FAILED;
}
