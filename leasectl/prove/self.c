/* SPDX-License-Identifier: ISC */
#include "leasectl/prove/self.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the other command must know of whoever runs this one: for the audit, and for its files. */
static const char *const kept[] = {"SUDO_USER", "TMPDIR", "TZ"};
enum { KEPT = sizeof(kept) / sizeof(kept[0]), KEPT_BYTES = 512 };

int self_start(const struct ctl *ctl, const char *const words[], struct child *ret)
{
    const char *argv[SELF_WORDS_MAX + 4] = {"/proc/self/exe"};
    const char *env[KEPT + 1] = {NULL};
    char texts[KEPT][KEPT_BYTES];
    size_t n = 1, set = 0;
    if (ctl->conf_file != NULL) {
        argv[n++] = "-c";
        argv[n++] = ctl->conf_file;
    }
    for (size_t i = 0; words[i] != NULL && i < SELF_WORDS_MAX; i++)
        argv[n++] = words[i];
    argv[n] = NULL;
    for (size_t i = 0; i < KEPT; i++) {
        const char *value = getenv(kept[i]);
        if (value != NULL &&
            snprintf(texts[set], KEPT_BYTES, "%s=%s", kept[i], value) < KEPT_BYTES) {
            env[set] = texts[set];
            set++;
        }
    }
    const int rc = child_start(ret, argv, env);
    if (rc == 0)
        child_close_input(ret);
    return rc;
}

size_t self_next_row(char **rest, const char *cells[], size_t max)
{
    char *line = strsep(rest, "\n");
    size_t count = 0;
    while (line != NULL && *line == '\0' && *rest != NULL)
        line = strsep(rest, "\n");
    while (line != NULL && *line != '\0' && count < max) {
        cells[count] = strsep(&line, "\t");
        count++;
    }
    for (size_t i = count; i < max; i++)
        cells[i] = "";
    return count;
}
