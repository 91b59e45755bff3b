/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/legs.h"

#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "tunnel-agent/config/leg.h"
#include "tunnel-agent/host/localport.h"
#include "tunnel-agent/host/process.h"
#include "tunnel-agent/host/statedir.h"
#include "tunnel-agent/ssh/hostkey.h"

#include <bsd/string.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOCAL_MS = 5000, HOLDER_BYTES = 96 };

/* The first pair of forwards that want one port, of different legs. */
static bool find_collision(const struct leg *legs, size_t count, size_t *ret_a, size_t *ret_b,
                           uint16_t *ret_port)
{
    for (size_t a = 0; a < count; a++)
        for (size_t b = a + 1; b < count; b++)
            for (size_t i = 0; i < legs[a].forward_count; i++)
                for (size_t j = 0; j < legs[b].forward_count; j++)
                    if (forward_collides(&legs[a].forwards[i], &legs[b].forwards[j])) {
                        *ret_a = a;
                        *ret_b = b;
                        *ret_port = legs[a].forwards[i].port;
                        return true;
                    }
    return false;
}

static void first_line(const struct buf *said, char *out, size_t size)
{
    const char *text = said->data != NULL ? said->data : "";
    size_t len = strcspn(text, "\r\n");
    (void)snprintf(out, size, "%.*s", len < 300 ? (int)len : 300, text);
}

int legs_validate(const struct leg *legs, size_t count, const struct settings *s,
                  char why[static LEGS_WHY_BYTES])
{
    size_t a, b;
    uint16_t port;
    char line[320];
    if (find_collision(legs, count, &a, &b, &port)) {
        (void)snprintf(why, LEGS_WHY_BYTES, "tunnels '%s' and '%s' both want local port %u",
                       legs[a].name, legs[b].name, port);
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        struct buf said = {0};
        int rc = hostkey_resolve(&legs[i], s, &said);
        first_line(&said, line, sizeof(line));
        buf_release(&said);
        if (rc != 0) {
            (void)snprintf(why, LEGS_WHY_BYTES, "ssh refuses the words of tunnel '%s': %s",
                           legs[i].name, line[0] != '\0' ? line : "is it installed?");
            return -1;
        }
    }
    return 0;
}

/* LocalForward as `ssh -G` prints it: `[BIND]:PORT [HOST]:PORT`, or `PORT [HOST]:PORT`. */
static uint16_t local_forward_port(char *value)
{
    value[strcspn(value, " ")] = '\0';
    const char *colon = strrchr(value, ':');
    return leg_port(colon != NULL ? colon + 1 : value);
}

static unsigned check_alias(const struct leg *legs, size_t count, const struct leg *leg,
                            const struct settings *s)
{
    struct buf resolved = {0};
    char words[320];
    unsigned found = 0;
    if (hostkey_resolve(leg, s, &resolved) == 0) {
        char *cursor = resolved.data;
        for (char *value; (value = hostkey_resolved(&cursor, "localforward")) != NULL;) {
            uint16_t port = local_forward_port(value);
            text_print(stdout,
                       "%s: the ssh configuration of %s has a LocalForward of its own (%s): it "
                       "would be opened, too",
                       leg->name, leg->to, value);
            found++;
            for (size_t i = 0; i < count; i++)
                for (size_t j = 0; port != 0 && j < legs[i].forward_count; j++)
                    if (legs[i].forwards[j].port == port)
                        (void)printf("%s: local port %u is also that of tunnel '%s'\n", leg->name,
                                     port, legs[i].name);
        }
    } else {
        first_line(&resolved, words, sizeof(words));
        text_print(stdout, "%s: ssh refuses its words: %s", leg->name,
                   words[0] != '\0' ? words : "is it installed?");
        found++;
    }
    buf_release(&resolved);
    return found;
}

unsigned legs_check(const struct leg *legs, size_t count, const struct settings *s)
{
    char holder[HOLDER_BYTES];
    unsigned found = 0;
    for (size_t a = 0; a < count; a++) {
        for (size_t i = 0; i < legs[a].forward_count; i++) {
            const struct forward *f = &legs[a].forwards[i];
            for (size_t b = a + 1; b < count; b++)
                for (size_t j = 0; j < legs[b].forward_count; j++)
                    if (forward_collides(f, &legs[b].forwards[j])) {
                        (void)printf("%s: local port %u is also that of tunnel '%s'\n",
                                     legs[a].name, f->port, legs[b].name);
                        found++;
                    }
            if (!localport_is_free(f->bind, f->port, holder, sizeof(holder))) {
                text_print(stdout, "%s: local port %u is taken (%s)", legs[a].name, f->port,
                           holder);
                found++;
            }
        }
        found += check_alias(legs, count, &legs[a], s);
    }
    return found;
}

/* ---- host keys, with a person at the terminal ---- */

/* Is there a line for this name in any file of the list? */
static bool is_known(const char *name, char *files)
{
    const char *home = getenv("HOME");
    for (char *file; (file = strsep(&files, " ")) != NULL;) {
        char path[1100];
        struct buf said = {0};
        (void)snprintf(path, sizeof(path), "%s%.1000s", file[0] == '~' && home != NULL ? home : "",
                       file[0] == '~' ? file + 1 : file);
        const char *const argv[] = {"ssh-keygen", "-F", name, "-f", path, NULL};
        bool found = access(path, R_OK) == 0 && process_run(argv, LOCAL_MS, &said) == 0;
        buf_release(&said);
        if (found)
            return true;
    }
    return false;
}

static char *resolved_copy(const struct buf *resolved, const char *keyword)
{
    char *text = strdup(resolved->data), *cursor = text;
    char *value = text != NULL ? hostkey_resolved(&cursor, keyword) : NULL;
    char *copy = value != NULL ? strdup(value) : NULL;
    free(text);
    return copy;
}

static bool needs_asking(const struct leg *leg, const struct settings *s)
{
    struct buf resolved = {0};
    char name[300] = "", *host, *port, *alias, *files, *global;
    bool needs = false;
    if (hostkey_resolve(leg, s, &resolved) != 0) {
        buf_release(&resolved);
        return false;
    }
    host = resolved_copy(&resolved, "hostname");
    port = resolved_copy(&resolved, "port");
    alias = resolved_copy(&resolved, "hostkeyalias");
    files = resolved_copy(&resolved, "userknownhostsfile");
    global = resolved_copy(&resolved, "globalknownhostsfile");
    if (alias != NULL && strcmp(alias, "none") != 0)
        (void)strlcpy(name, alias, sizeof(name));
    else if (host != NULL && port != NULL && strcmp(port, "22") != 0)
        (void)snprintf(name, sizeof(name), "[%.250s]:%.8s", host, port);
    else if (host != NULL)
        (void)strlcpy(name, host, sizeof(name));
    needs = name[0] != '\0' && files != NULL && !is_known(name, files) &&
            (global == NULL || !is_known(name, global));
    free(host);
    free(port);
    free(alias);
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

void legs_ask_host_keys(const struct leg *legs, size_t count, const struct settings *s,
                        const struct statedir *state)
{
    char scratch[STATEDIR_PATH_BYTES + 32], answer[16], why[256];
    if (isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1)
        return;
    (void)snprintf(scratch, sizeof(scratch), "%s/%d-ask.hosts", state->run, (int)getpid());
    for (size_t i = 0; i < count; i++) {
        struct hostkey key;
        struct buf line = {0};
        if (legs[i].host_key[0] != '\0' || !needs_asking(&legs[i], s))
            continue;
        if (hostkey_ask(&legs[i], s, NULL, scratch, &key, &line, why) != NULL) {
            buf_release(&line); /* unreachable now: the tunnel itself will say so */
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
