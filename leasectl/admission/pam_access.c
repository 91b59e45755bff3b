/* SPDX-License-Identifier: ISC */
#include "leasectl/admission/pam_access.h"

#include "leasectl/host/account.h"
#include "lib/lease/source.h"

#include <bsd/string.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { RULE_BYTES = 2048 };

#define ACCESS_DEFAULT_FILE TUNLEASE_SYSCONFDIR "/security/access.conf"

/* Who asks to be let in. */
struct asker {
    const struct access_rules *rules;
    const char *login, *addr;
};

typedef enum sight (*word_fn)(const struct asker *who, const char *word);

static enum sight sight_of(bool is)
{
    return is ? SIGHT_IS : SIGHT_IS_NOT;
}

static enum sight user_word(const struct asker *who, const char *word)
{
    char group[128];
    size_t len = strlen(word);
    if (word[0] == '@' || strchr(word, '@') != NULL)
        return SIGHT_CANNOT_TELL; /* a netgroup, or a user at a terminal or host */
    if (word[0] == '(' && word[len - 1] == ')') {
        (void)snprintf(group, sizeof(group), "%.*s", (int)(len - 2), word + 1);
        return sight_of(account_in_group(who->login, group));
    }
    if (strcasecmp(word, "ALL") == 0 || strcasecmp(word, who->login) == 0)
        return SIGHT_IS;
    return sight_of(!who->rules->only_marked_groups && account_in_group(who->login, word));
}

/* `192.0.2.`: all addresses that begin so. */
static bool is_number_prefix(const char *word)
{
    size_t len = strlen(word);
    return len > 1 && word[len - 1] == '.' && strspn(word, "0123456789.") == len;
}

static enum sight origin_word(const struct asker *who, const char *word)
{
    struct source_list one;
    if (strcasecmp(word, "ALL") == 0)
        return SIGHT_IS;
    if (strcasecmp(word, "LOCAL") == 0) /* a login through sshd has a host */
        return SIGHT_IS_NOT;
    if (who->addr == NULL)
        return SIGHT_CANNOT_TELL;
    if (strcasecmp(word, who->addr) == 0)
        return SIGHT_IS;
    if (is_number_prefix(word))
        return sight_of(strncmp(word, who->addr, strlen(word)) == 0);
    if (source_list_parse(word, &one) == NULL)
        return sight_of(source_list_matches(&one, who->addr));
    return SIGHT_CANNOT_TELL; /* the name of a host or a domain, a netgroup, a netmask */
}

/* Does a word of the list match, and none behind EXCEPT? *rest is consumed. */
static enum sight list_matches(const struct asker *who, char **rest, word_fn matches)
{
    enum sight found = SIGHT_IS_NOT;
    bool except = false;
    for (char *word; !except && (word = strsep(rest, who->rules->list_separators)) != NULL;) {
        if (*word == '\0' || found == SIGHT_IS) {
            except = *word != '\0' && strcasecmp(word, "EXCEPT") == 0;
            continue;
        }
        except = strcasecmp(word, "EXCEPT") == 0;
        enum sight sight = except ? SIGHT_IS_NOT : matches(who, word);
        found = sight == SIGHT_IS_NOT ? found : sight;
    }
    if (!except || found == SIGHT_IS_NOT)
        return found;
    enum sight excepted = list_matches(who, rest, matches);
    if (excepted == SIGHT_IS)
        return SIGHT_IS_NOT;
    return excepted == SIGHT_CANNOT_TELL ? SIGHT_CANNOT_TELL : found;
}

/* Does this line hold for who? Its text is consumed. */
static enum sight line_matches(const struct asker *who, char *line)
{
    char *rest = line;
    const char *fields = who->rules->field_separators;
    (void)strsep(&rest, fields);
    char *users = strsep(&rest, fields), *origins = rest;
    if (users == NULL || origins == NULL)
        return SIGHT_IS_NOT; /* pam_access logs it and goes on */
    enum sight user = list_matches(who, &users, user_word);
    enum sight origin =
        user == SIGHT_IS_NOT ? SIGHT_IS_NOT : list_matches(who, &origins, origin_word);
    return origin == SIGHT_IS ? user : origin;
}

static void add_separators(const char *value, char *out, size_t out_bytes)
{
    (void)snprintf(out, out_bytes, "%.*s", (int)strcspn(value, " \t"), value);
}

void access_rules_parse(const char *args, struct access_rules *ret, char *path, size_t path_bytes)
{
    *ret = (struct access_rules){.path = path, .field_separators = ":", .list_separators = ", \t"};
    (void)strlcpy(path, ACCESS_DEFAULT_FILE, path_bytes);
    for (const char *p = args; *(p += strspn(p, " \t")) != '\0'; p += strcspn(p, " \t")) {
        if (strncmp(p, "accessfile=", 11) == 0)
            (void)snprintf(path, path_bytes, "%.*s", (int)strcspn(p + 11, " \t"), p + 11);
        else if (strncmp(p, "fieldsep=", 9) == 0)
            add_separators(p + 9, ret->field_separators, sizeof(ret->field_separators));
        else if (strncmp(p, "listsep=", 8) == 0)
            add_separators(p + 8, ret->list_separators, sizeof(ret->list_separators));
        else if (strncmp(p, "nodefgroup", 10) == 0)
            ret->only_marked_groups = true;
    }
}

/* Some versions of pam_access read these files, too, and others do not. */
static bool has_more_files(const char *path)
{
    glob_t found;
    if (strcmp(path, ACCESS_DEFAULT_FILE) != 0)
        return false;
    bool any = glob(TUNLEASE_SYSCONFDIR "/security/access.d/*.conf", 0, NULL, &found) == 0;
    globfree(&found);
    return any;
}

enum sight access_rules_admit(const struct access_rules *rules, const char *login, const char *addr,
                              char *rule, size_t rule_bytes)
{
    const struct asker who = {rules, login, addr};
    char line[RULE_BYTES], shown[RULE_BYTES];
    enum sight admits = SIGHT_IS; /* as pam_access does when no line holds */
    bool decided = false;
    FILE *f = fopen(rules->path, "re");
    rule[0] = '\0';
    if (f == NULL)
        return SIGHT_CANNOT_TELL;
    while (!decided && fgets(line, sizeof(line), f) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] != '+' && line[0] != '-')
            continue;
        (void)strlcpy(shown, line, sizeof(shown));
        bool permits = line[0] == '+';
        enum sight holds = line_matches(&who, line);
        decided = holds != SIGHT_IS_NOT;
        if (decided) {
            admits = holds == SIGHT_CANNOT_TELL ? SIGHT_CANNOT_TELL : sight_of(permits);
            (void)strlcpy(rule, shown, rule_bytes);
        }
    }
    (void)fclose(f);
    return decided || !has_more_files(rules->path) ? admits : SIGHT_CANNOT_TELL;
}
