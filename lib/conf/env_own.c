/* SPDX-License-Identifier: ISC */
#include "lib/conf/env_own.h"

#include "lib/conf/env_names.h"
#include "lib/conf/loading.h"

#include <bsd/string.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The value of name, API_KEY or API_KEYS. It is moved out of the environment into *saved, from
 * where later loads get it. */
static const char *move_secret_out(const char *name, char **saved)
{
    char *value = getenv(name);
    if (value == NULL)
        return *saved;
    char *copy = strdup(value);
    if (copy == NULL)
        return value;
    free(*saved);
    *saved = copy;
    explicit_bzero(value, strlen(value)); /* /proc/PID/environ shows this memory */
    (void)unsetenv(name);
    return *saved;
}

static const char *daemon_value(const char *name)
{
    static char *key, *keys;
    if (strcmp(name, "API_KEY") == 0)
        return move_secret_out(name, &key);
    return strcmp(name, "API_KEYS") == 0 ? move_secret_out(name, &keys) : getenv(name);
}

void env_own_load(struct loading *load)
{
    struct env_ctx ctx = {.load = load};
    char text[4096];
    const char *file = load->file;
    load->file = "the environment";
    if (daemon_value("API_KEY") != NULL || daemon_value("API_KEYS") != NULL)
        conf_forget_keys(load->conf);
    const char *name;
    for (size_t i = 0; (name = env_name_at(i)) != NULL; i++) {
        const char *value = daemon_value(name);
        if (value == NULL)
            continue;
        if (strlcpy(text, value, sizeof(text)) >= sizeof(text))
            env_problem(load, name, "is too long");
        else
            env_apply(&ctx, name, text);
    }
    env_replace_listen(&ctx);
    load->file = file;
}
