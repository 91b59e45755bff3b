/* SPDX-License-Identifier: ISC */
#include "leasectl/usage.h"

#include <string.h>

enum { COLUMNS_MAX = 80, CONTINUED_AT = 10 };

static const char lower_case[] = "abcdefghijklmnopqrstuvwxyz-";

/* The length of the form at s, and of the next one in *ret_next (NULL: none). */
static size_t form_bytes(const struct verb *v, const char *s, const char **ret_next)
{
    size_t name_len = strlen(v->name);
    for (const char *at = s; (at = strstr(at, " | ")) != NULL; at += 3)
        if (strncmp(at + 3, v->name, name_len) == 0 && at[3 + name_len] == ' ') {
            *ret_next = at + 3;
            return (size_t)(at - s);
        }
    *ret_next = NULL;
    return strlen(s);
}

/* The bytes of the piece at s, which stays on one line: a word, with all that is in its brackets,
 * and the value of its option. */
static size_t piece_bytes(const char *s, size_t len)
{
    size_t n = 0;
    int depth = 0;
    bool option = strncmp(s, "--", 2) == 0;
    for (; n < len; n++) {
        depth += s[n] == '[' ? 1 : s[n] == ']' ? -1 : 0;
        if (s[n] != ' ' || depth > 0)
            continue;
        if (!option || s[n + 1] == '[')
            break;
        option = false;
    }
    return n;
}

static void print_form(FILE *to, const char *start, const char *s, size_t len)
{
    int column = fprintf(to, "%s leasectl [-c FILE] [--json]", start);
    while (len > 0) {
        size_t n = piece_bytes(s, len);
        if (column + 1 + (int)n > COLUMNS_MAX)
            column = fprintf(to, "\n%*s", CONTINUED_AT - 1, "") - 1;
        column += fprintf(to, " %.*s", (int)n, s);
        n += n < len ? 1 : 0; /* the blank */
        s += n;
        len -= n;
    }
    (void)fputc('\n', to);
}

void usage_print(FILE *to, const struct verb *v)
{
    const char *start = "usage:", *next;
    for (const char *s = v->usage; s != NULL; s = next) {
        size_t len = form_bytes(v, s, &next);
        print_form(to, start, s, len);
        start = "      ";
    }
}

/* Moves *s behind the next --NAME of the usage. Returns its name and length; NULL: no more. */
static const char *next_option(const char **s, size_t *ret_len)
{
    const char *at = *s;
    while ((at = strstr(at, "--")) != NULL) {
        const char *name = at + 2;
        size_t len = strspn(name, lower_case);
        bool begins = at == *s || strchr(" [|", at[-1]) != NULL;
        at = name + len;
        if (begins && len > 0) {
            *s = at;
            *ret_len = len;
            return name;
        }
    }
    return NULL;
}

/* s is behind the name of an option. [HOST:]PORT is a value; a [NAME] for itself is none. */
static bool value_follows(const char *s)
{
    if (s[0] != ' ' || strchr("-|", s[1]) != NULL)
        return false;
    if (s[1] != '[')
        return true;
    const char *end = strchr(s, ']');
    return end != NULL && strchr(" ].|", end[1]) == NULL;
}

bool usage_takes_next_word(const struct verb *v, const char *word)
{
    const char *s = v->usage, *name;
    size_t len, typed_len;
    unsigned with_value = 0, without = 0;
    if (strncmp(word, "--", 2) != 0 || strchr(word, '=') != NULL)
        return false;
    word += 2;
    typed_len = strlen(word);
    while ((name = next_option(&s, &len)) != NULL) {
        bool has_value = value_follows(s);
        if (strncmp(name, word, typed_len) != 0 || typed_len > len)
            continue;
        if (typed_len == len)
            return has_value;
        with_value += has_value;
        without += !has_value;
    }
    return with_value > 0 && without == 0;
}

bool usage_has_command(const struct verb *v, const char *word, struct usage_commands *words,
                       struct nearest *ret)
{
    const char *next;
    size_t count = 0, name_len = strlen(v->name);
    nearest_init(ret, word);
    for (const char *s = v->usage; s != NULL; s = next) {
        (void)form_bytes(v, s, &next);
        s += name_len + (s[name_len] == ' ');
        size_t len = strspn(s, lower_case);
        bool is_command = len > 0 && s[0] != '-' && (s[len] == ' ' || s[len] == '\0');
        if (!is_command || len > NEAREST_WORD_BYTES || count == USAGE_COMMANDS_MAX)
            return true;
        if (strlen(word) == len && strncmp(s, word, len) == 0)
            return true;
        memcpy(words->words[count], s, len);
        words->words[count][len] = '\0';
        nearest_offer(ret, words->words[count++]);
    }
    return false;
}

/* In a form without commands: a word in capitals that does not follow the name of an option. */
static bool form_takes_name(const char *s, size_t len)
{
    bool value_is_due = false;
    for (const char *end = s + len; s < end;) {
        size_t word_len = strcspn(s, " ");
        size_t mark = strspn(s, "[");
        if (s[mark] >= 'A' && s[mark] <= 'Z' && !value_is_due)
            return true;
        const char *option = memmem(s, word_len, "--", 2);
        value_is_due = option != NULL && s[word_len - 1] != ']';
        s += word_len + (s[word_len] == ' ');
    }
    return false;
}

bool usage_takes_name(const struct verb *v)
{
    struct usage_commands words;
    struct nearest near;
    const char *next;
    if (!usage_has_command(v, "", &words, &near))
        return false;
    for (const char *s = v->usage; s != NULL; s = next) {
        size_t len = form_bytes(v, s, &next), name_len = strlen(v->name);
        if (form_takes_name(s + name_len, len - name_len))
            return true;
    }
    return false;
}
