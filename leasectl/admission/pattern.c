/* SPDX-License-Identifier: ISC */
#include "leasectl/admission/pattern.h"

#include "lib/base/pattern.h"
#include "lib/lease/source.h"

#include <stdio.h>
#include <string.h>

enum { WORD_BYTES = 512 };

/* Copies the word before the next comma, without its `!`. Returns what follows, or NULL. */
static const char *next_word(const char *list, char word[static WORD_BYTES], bool *ret_excludes)
{
    size_t len = strcspn(list, ",");
    *ret_excludes = *list == '!';
    const char *start = list + (*ret_excludes ? 1 : 0);
    (void)snprintf(word, WORD_BYTES, "%.*s", (int)(list + len - start), start);
    return list[len] == ',' ? list + len + 1 : NULL;
}

bool pattern_list_holds(const char *text, const char *list,
                        bool (*holds)(const char *text, const char *word))
{
    char word[WORD_BYTES];
    bool found = false, excludes;
    while (list != NULL) {
        list = next_word(list, word, &excludes);
        if (!holds(text, word))
            continue;
        if (excludes)
            return false;
        found = true;
    }
    return found;
}

bool pattern_list_matches(const char *text, const char *list)
{
    return pattern_list_holds(text, list, pattern_matches);
}

static enum sight word_matches(const struct pattern_client *client, const char *word)
{
    struct source_list one;
    if (strcmp(word, "*") == 0)
        return SIGHT_IS;
    if (client->addr == NULL)
        return SIGHT_CANNOT_TELL;
    bool is_network = source_list_parse(word, &one) == NULL;
    if (is_network ? source_list_matches(&one, client->addr) : pattern_matches(client->addr, word))
        return SIGHT_IS;
    return client->has_name && !is_network ? SIGHT_CANNOT_TELL : SIGHT_IS_NOT;
}

enum sight pattern_address_matches(const struct pattern_client *client, const char *list)
{
    char word[WORD_BYTES];
    bool excludes, found = false, may_be_found = false, may_be_excluded = false;
    while (list != NULL) {
        list = next_word(list, word, &excludes);
        enum sight sight = word_matches(client, word);
        if (sight == SIGHT_IS && excludes)
            return SIGHT_IS_NOT;
        found = found || (sight == SIGHT_IS && !excludes);
        may_be_found = may_be_found || (sight == SIGHT_CANNOT_TELL && !excludes);
        may_be_excluded = may_be_excluded || (sight == SIGHT_CANNOT_TELL && excludes);
    }
    if (!found && !may_be_found)
        return SIGHT_IS_NOT;
    return found && !may_be_excluded ? SIGHT_IS : SIGHT_CANNOT_TELL;
}

enum sight pattern_user_matches(const char *login, const struct pattern_client *client,
                                const char *word)
{
    char user[WORD_BYTES];
    const char *at = strrchr(word, '@');
    if (at == NULL)
        return pattern_matches(login, word) ? SIGHT_IS : SIGHT_IS_NOT;
    (void)snprintf(user, sizeof(user), "%.*s", (int)(at - word), word);
    return pattern_matches(login, user) ? pattern_address_matches(client, at + 1) : SIGHT_IS_NOT;
}
