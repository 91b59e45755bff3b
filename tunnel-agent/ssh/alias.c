/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/ssh/alias.h"

#include <bsd/string.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { INCLUDE_DEPTH = 8, PATH_BYTES = 1100 };

static bool search_file(const char *path, const char *alias, unsigned depth);

/* Include of ssh_config(5): paths are relative to ~/.ssh, and wildcards are expanded. */
static bool search_included(const char *pattern, const char *alias, unsigned depth)
{
    char path[PATH_BYTES];
    const char *home = getenv("HOME");
    glob_t found = {.gl_pathc = 0};
    bool has = false;
    if (pattern[0] == '~' && pattern[1] == '/')
        (void)snprintf(path, sizeof(path), "%s%.900s", home != NULL ? home : "", pattern + 1);
    else if (pattern[0] == '/')
        (void)strlcpy(path, pattern, sizeof(path));
    else
        (void)snprintf(path, sizeof(path), "%s/.ssh/%.900s", home != NULL ? home : "", pattern);
    if (glob(path, 0, NULL, &found) == 0)
        for (size_t i = 0; !has && i < found.gl_pathc; i++)
            has = search_file(found.gl_pathv[i], alias, depth + 1);
    globfree(&found);
    return has;
}

static char *next_word(char **cursor)
{
    char *word;
    while ((word = strsep(cursor, " \t\r\n\"=")) != NULL && *word == '\0')
        ;
    return word;
}

static bool search_file(const char *path, const char *alias, unsigned depth)
{
    char line[2048];
    bool has = false;
    FILE *f = depth < INCLUDE_DEPTH ? fopen(path, "re") : NULL;
    if (f == NULL)
        return false;
    while (!has && fgets(line, sizeof(line), f) != NULL) {
        char *cursor = line, *keyword = next_word(&cursor);
        if (keyword == NULL || keyword[0] == '#')
            continue;
        bool host = strcasecmp(keyword, "Host") == 0, include = strcasecmp(keyword, "Include") == 0;
        for (char *word; !has && (host || include) && (word = next_word(&cursor)) != NULL;)
            has = host ? strcmp(word, alias) == 0 : search_included(word, alias, depth);
    }
    (void)fclose(f);
    return has;
}

bool sshalias_exists(const char *file, const char *alias)
{
    char path[PATH_BYTES];
    const char *home = getenv("HOME");
    if (alias[0] == '-' || alias[strcspn(alias, "*?! \t\"")] != '\0')
        return false;
    if (file == NULL)
        (void)snprintf(path, sizeof(path), "%.1000s/.ssh/config", home != NULL ? home : "");
    return search_file(file != NULL ? file : path, alias, 0);
}
