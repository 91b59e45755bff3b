/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/ssh/hostkey_prompt.h"

#include "lib/base/buf.h"
#include "tunnel-agent/config/leg.h"
#include "tunnel-agent/host/process.h"
#include "tunnel-agent/host/statedir.h"
#include "tunnel-agent/ssh/hostkey.h"
#include "tunnel-agent/ssh/resolve.h"

#include <bsd/string.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEYGEN_MS = 5000 };

/* True if any file of the list has a line for this name. */
static bool is_known(const char *name, char *files)
{
    const char *home = getenv("HOME");
    for (char *file; (file = strsep(&files, " ")) != NULL;) {
        char path[1100];
        struct buf output = {0};
        (void)snprintf(path, sizeof(path), "%s%.1000s", file[0] == '~' && home != NULL ? home : "",
                       file[0] == '~' ? file + 1 : file);
        const char *const argv[] = {"ssh-keygen", "-F", name, "-f", path, NULL};
        bool found = access(path, R_OK) == 0 && process_run(argv, KEYGEN_MS, &output) == 0;
        buf_release(&output);
        if (found)
            return true;
    }
    return false;
}

static bool host_key_is_unknown(const struct leg *leg, const struct settings *s)
{
    struct buf resolved = {0};
    char name[300] = "", *files, *global;
    bool needs = false;
    if (sshresolve(leg, s, &resolved) != 0) {
        buf_release(&resolved);
        return false;
    }
    sshresolve_known_name(resolved.data, name, sizeof(name));
    files = sshresolve_copy(resolved.data, "userknownhostsfile");
    global = sshresolve_copy(resolved.data, "globalknownhostsfile");
    needs = name[0] != '\0' && files != NULL && !is_known(name, files) &&
            (global == NULL || !is_known(name, global));
    free(files);
    free(global);
    buf_release(&resolved);
    return needs;
}

static bool add_to_known_hosts(const char *line)
{
    char path[1100];
    const char *home = getenv("HOME");
    (void)snprintf(path, sizeof(path), "%.1000s/.ssh", home != NULL ? home : "");
    (void)mkdir(path, 0700);
    (void)strlcat(path, "/known_hosts", sizeof(path));
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool ok = write(fd, line, strlen(line)) == (ssize_t)strlen(line);
    return close(fd) == 0 && ok;
}

void hostkey_prompt(const struct leg *legs, size_t count, const struct settings *s,
                    const struct statedir *state)
{
    char scratch[STATEDIR_PATH_BYTES + 32], answer[16], why[HOSTKEY_WHY_BYTES];
    if (isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1)
        return;
    (void)snprintf(scratch, sizeof(scratch), "%s/%d-ask.hosts", state->run, (int)getpid());
    for (size_t i = 0; i < count; i++) {
        struct hostkey key;
        struct buf line = {0};
        if (legs[i].host_key[0] != '\0' || !host_key_is_unknown(&legs[i], s))
            continue;
        if (hostkey_fetch(&legs[i], s, NULL, scratch, &key, &line, why) != NULL) {
            buf_release(&line); /* not reachable now: the tunnel will report it */
            continue;
        }
        (void)fprintf(stderr,
                      "The host key of %s is not known yet.\n  %s %s\nIs it the right one? "
                      "(yes/no) ",
                      legs[i].to, key.type, key.fingerprint);
        if (fgets(answer, sizeof(answer), stdin) != NULL && strcmp(answer, "yes\n") == 0 &&
            !add_to_known_hosts(buf_text(&line)))
            (void)fprintf(stderr, "tunnel-agent: cannot write ~/.ssh/known_hosts\n");
        buf_release(&line);
    }
}
