/* SPDX-License-Identifier: ISC */
#include "leasectl/admission/pam_succeed_if.h"

#include "leasectl/host/account.h"
#include "lib/base/number.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

enum { WORD_BYTES = 256 };

/* FIELD OPERATOR VALUE */
struct condition {
    char field[WORD_BYTES], operator[WORD_BYTES], value[WORD_BYTES];
};

static enum sight sight_of(bool is)
{
    return is ? SIGHT_IS : SIGHT_IS_NOT;
}

static bool is_flag(const char *word)
{
    static const char *const flags[] = {"debug",      "use_uid",       "quiet",
                                        "quiet_fail", "quiet_success", "audit"};
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        if (strcmp(word, flags[i]) == 0)
            return true;
    return false;
}

/* Copies the next word that is no flag. False: there is none. */
static bool next_word(const char **rest, char word[static WORD_BYTES])
{
    do {
        *rest += strspn(*rest, " \t");
        size_t len = strcspn(*rest, " \t");
        if (len == 0)
            return false;
        (void)snprintf(word, WORD_BYTES, "%.*s", (int)len, *rest);
        *rest += len;
    } while (is_flag(word));
    return true;
}

/* Is text one of the words of a list with colons? */
static bool is_in(const char *text, const char *list)
{
    for (const char *p = list; p != NULL; p = strchr(p, ':') != NULL ? strchr(p, ':') + 1 : NULL)
        if (strcspn(p, ":") == strlen(text) && strncmp(p, text, strlen(text)) == 0)
            return true;
    return false;
}

static enum sight judge_text(const char *text, const struct condition *c)
{
    if (strcmp(c->operator, "=") == 0 || strcmp(c->operator, "!=") == 0)
        return sight_of((strcmp(text, c->value) == 0) == (c->operator[0] == '='));
    if (strcmp(c->operator, "in") == 0 || strcmp(c->operator, "notin") == 0)
        return sight_of(is_in(text, c->value) == (c->operator[0] == 'i'));
    return SIGHT_CANNOT_TELL;
}

static enum sight judge_uid(const char *login, const struct condition *c)
{
    static const char *const less[] = {"<", "lt"}, *const least[] = {">=", "ge"};
    uid_t uid;
    int64_t value;
    if (!account_uid(login, &uid) ||
        !number_parse(c->value, strlen(c->value), 0, UINT32_MAX, &value))
        return SIGHT_CANNOT_TELL;
    for (size_t i = 0; i < 2; i++) {
        if (strcmp(c->operator, less[i]) == 0)
            return sight_of(uid < value);
        if (strcmp(c->operator, least[i]) == 0)
            return sight_of(uid >= value);
    }
    return SIGHT_CANNOT_TELL;
}

static enum sight judge(const char *service, const char *login, const struct condition *c)
{
    if (strcmp(c->field, "service") == 0)
        return judge_text(service, c);
    if (strcmp(c->field, "uid") == 0)
        return judge_uid(login, c);
    if (strcmp(c->field, "user") != 0)
        return SIGHT_CANNOT_TELL;
    if (strcmp(c->operator, "ingroup") == 0 && strchr(c->value, ':') == NULL)
        return sight_of(account_in_group(login, c->value));
    if (strcmp(c->operator, "notingroup") == 0 && strchr(c->value, ':') == NULL)
        return sight_of(!account_in_group(login, c->value));
    return judge_text(login, c);
}

enum sight succeed_if_judge(const char *args, const char *service, const char *login)
{
    struct condition c;
    enum sight all = SIGHT_CANNOT_TELL; /* without a condition */
    for (bool first = true; next_word(&args, c.field); first = false) {
        if (!next_word(&args, c.operator) || !next_word(&args, c.value))
            return SIGHT_CANNOT_TELL;
        enum sight sight = judge(service, login, &c);
        if (sight != SIGHT_IS)
            return sight;
        all = first ? sight : all;
    }
    return all;
}
