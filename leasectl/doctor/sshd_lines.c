/* SPDX-License-Identifier: ISC */
#include "leasectl/doctor/sshd_lines.h"

#include "leasectl/host/textfile.h"
#include "lib/base/array.h"
#include "lib/base/text.h"

#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names that older versions used. */
static const struct {
    const char *old, *now;
} aliases[] = {
    {"challengeresponseauthentication", "kbdinteractiveauthentication"},
    {"skeyauthentication", "kbdinteractiveauthentication"},
    {"pubkeyacceptedkeytypes", "pubkeyacceptedalgorithms"},
    {"hostbasedacceptedkeytypes", "hostbasedacceptedalgorithms"},
    {"keepalive", "tcpkeepalive"},
};

static char *lower_copy(const char *s, size_t len)
{
    char *copy = strndup(s, len);
    for (char *p = copy; p != NULL && *p != '\0'; p++)
        *p = text_lower(*p);
    for (size_t i = 0; copy != NULL && i < sizeof(aliases) / sizeof(aliases[0]); i++)
        if (strcmp(copy, aliases[i].old) == 0) {
            free(copy);
            return strdup(aliases[i].now);
        }
    return copy;
}

/* The length of a value without a comment and the blanks before it. `#` within quotes is no
 * comment. */
static size_t value_bytes(const char *s)
{
    size_t len = 0;
    bool quoted = false, blank = true;
    for (size_t i = 0; s[i] != '\0' && s[i] != '\n'; i++) {
        if (s[i] == '#' && blank && !quoted)
            break;
        quoted ^= s[i] == '"';
        blank = isspace((unsigned char)s[i]) != 0;
        if (!blank)
            len = i + 1;
    }
    return len;
}

static bool add_line(struct sshd_lines *lines, const char *file, unsigned number, const char *text,
                     size_t match)
{
    const size_t word = strcspn(text, " \t=\r\n");
    const char *value = text + word;
    value += strspn(value, " \t");
    if (*value == '=')
        value += 1 + strspn(value + 1, " \t");
    struct sshd_line *items =
        array_grow(lines->items, lines->count, &lines->cap, sizeof(*items), SSHD_LINES_MAX);
    if (items == NULL)
        return false;
    lines->items = items;
    struct sshd_line *l = &items[lines->count];
    *l = (struct sshd_line){.number = number, .match = match};
    l->file = strdup(file);
    l->keyword = lower_copy(text, word);
    l->value = strndup(value, value_bytes(value));
    l->text = strndup(text, value_bytes(text));
    lines->count++; /* released with the others, also when it is half built */
    return l->file != NULL && l->keyword != NULL && l->value != NULL && l->text != NULL;
}

static void read_file(struct sshd_lines *lines, const char *path, size_t include, size_t match,
                      unsigned depth);

/* Reads the files of an Include line, which stands below the Match line `match`. */
static void read_included(struct sshd_lines *lines, size_t include, size_t match, unsigned depth)
{
    char *words = strdup(lines->items[include - 1].value), *rest = words, *word;
    while ((word = strsep(&rest, " \t\"")) != NULL) {
        char pattern[1024];
        glob_t files = {0};
        if (*word == '\0')
            continue;
        (void)snprintf(pattern, sizeof(pattern), "%s%s",
                       *word == '/' ? "" : TUNLEASE_SYSCONFDIR "/ssh/", word);
        if (glob(pattern, 0, NULL, &files) == 0)
            for (size_t i = 0; i < files.gl_pathc; i++)
                read_file(lines, files.gl_pathv[i], include, match, depth + 1);
        globfree(&files);
    }
    lines->incomplete |= words == NULL;
    free(words);
}

static bool add_file(struct sshd_lines *lines, const char *path, size_t include)
{
    struct sshd_file *files = array_grow(lines->files, lines->file_count, &lines->file_cap,
                                         sizeof(*files), SSHD_FILES_MAX);
    if (files == NULL)
        return false;
    lines->files = files;
    files[lines->file_count] = (struct sshd_file){.path = strdup(path), .include = include};
    return files[lines->file_count++].path != NULL;
}

/* A Match line ends with its file: what follows the Include stands where the Include stands. */
static void read_file(struct sshd_lines *lines, const char *path, size_t include, size_t match,
                      unsigned depth)
{
    const size_t outer = match;
    char *text = depth <= SSHD_INCLUDE_DEPTH_MAX ? textfile_read(path) : NULL;
    if (text == NULL || strlen(text) >= TEXTFILE_BYTES_MAX || !add_file(lines, path, include)) {
        lines->incomplete = true;
        free(text);
        return;
    }
    char *rest = text, *line;
    for (unsigned number = 1; (line = strsep(&rest, "\n")) != NULL; number++) {
        line += strspn(line, " \t\r\f");
        if (*line == '\0' || *line == '#')
            continue;
        const bool is_match = strncasecmp(line, "match", 5) == 0 && strchr(" \t=", line[5]) != NULL;
        if (!add_line(lines, path, number, line, is_match ? outer : match)) {
            lines->incomplete = true;
            break;
        }
        if (is_match)
            match = lines->count;
        else if (strcmp(lines->items[lines->count - 1].keyword, "include") == 0)
            read_included(lines, lines->count, match, depth);
    }
    free(text);
}

void sshd_lines_read(const char *config_file, struct sshd_lines *ret)
{
    *ret = (struct sshd_lines){0};
    read_file(ret, config_file, 0, 0, 0);
}

void sshd_lines_release(struct sshd_lines *lines)
{
    for (size_t i = 0; i < lines->count; i++) {
        free(lines->items[i].file);
        free(lines->items[i].keyword);
        free(lines->items[i].value);
        free(lines->items[i].text);
    }
    for (size_t i = 0; i < lines->file_count; i++)
        free(lines->files[i].path);
    free(lines->items);
    free(lines->files);
    *lines = (struct sshd_lines){0};
}

enum sight sshd_lines_find(const struct sshd_lines *lines, const char *keyword,
                           const struct sshd_connection *c, const struct sshd_line **ret)
{
    const struct sshd_line *global = NULL;
    if (lines->incomplete)
        return SIGHT_CANNOT_TELL;
    /* The first value counts; one below a Match line that holds goes before every global one. */
    for (size_t i = 0; i < lines->count; i++) {
        const struct sshd_line *l = &lines->items[i];
        if (strcmp(l->keyword, keyword) != 0)
            continue;
        if (l->match == 0) {
            global = global != NULL ? global : l;
            continue;
        }
        const enum sight sight = sshd_lines_match(lines, l->match, c);
        if (sight == SIGHT_CANNOT_TELL)
            return sight;
        if (sight == SIGHT_IS) {
            *ret = l;
            return sight;
        }
    }
    *ret = global;
    return global != NULL ? SIGHT_IS : SIGHT_IS_NOT;
}

const struct sshd_file *sshd_lines_file(const struct sshd_lines *lines, const char *path)
{
    for (size_t i = 0; i < lines->file_count; i++)
        if (strcmp(lines->files[i].path, path) == 0)
            return &lines->files[i];
    return NULL;
}
