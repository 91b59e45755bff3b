/* SPDX-License-Identifier: ISC */
/* Does a Match line of sshd_config(5) hold for a connection? */
#include "leasectl/admission/pattern.h"
#include "leasectl/doctor/sshd_lines.h"
#include "leasectl/host/account.h"
#include "leasectl/host/sshd_settings.h"

#include <ctype.h>
#include <grp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_group(void *pattern, const struct group *gr)
{
    return pattern_matches(gr->gr_name, pattern);
}

static bool group_holds(const char *login, const char *pattern)
{
    return account_any_group(login, is_group, (void *)(uintptr_t)pattern);
}

static bool port_holds(const char *port, const char *pattern)
{
    return strcmp(port, pattern) == 0;
}

static bool is_address(const char *name)
{
    return strcasecmp(name, "address") == 0 || strcasecmp(name, "localaddress") == 0;
}

static enum sight criterion_holds(const char *name, const char *list,
                                  const struct sshd_connection *c)
{
    char port[8];
    const struct {
        const char *name, *text;
        bool (*holds)(const char *, const char *);
    } criteria[] = {{"user", c->login, pattern_matches},
                    {"group", c->login, group_holds},
                    {"host", c->host, pattern_matches},
                    {"localport", port, port_holds},
                    {"rdomain", "", pattern_matches}};
    (void)snprintf(port, sizeof(port), "%u", c->lport);
    if (is_address(name)) {
        const struct pattern_client client = {
            .addr = tolower((unsigned char)*name) == 'a' ? c->addr : c->laddr};
        return pattern_address_matches(&client, list);
    }
    for (size_t i = 0; i < sizeof(criteria) / sizeof(criteria[0]); i++)
        if (strcasecmp(criteria[i].name, name) == 0)
            return pattern_list_holds(criteria[i].text, list, criteria[i].holds) ? SIGHT_IS
                                                                                 : SIGHT_IS_NOT;
    return SIGHT_CANNOT_TELL; /* a criterion of a later version */
}

/* Each criterion of a Match line must hold. */
static enum sight line_holds(const char *value, const struct sshd_connection *c)
{
    char *words = strdup(value), *rest = words, *word;
    const char *name = NULL;
    char name_text[32];
    enum sight sight = words != NULL ? SIGHT_IS : SIGHT_CANNOT_TELL;
    while (sight != SIGHT_IS_NOT && (word = strsep(&rest, " \t\"=")) != NULL) {
        if (*word == '\0' || (name == NULL && strcasecmp(word, "all") == 0))
            continue;
        if (name == NULL && strcasecmp(word, "invalid-user") == 0) { /* ours are valid */
            sight = SIGHT_IS_NOT;
            continue;
        }
        if (name == NULL) {
            (void)snprintf(name_text, sizeof(name_text), "%s", word);
            name = name_text;
            continue;
        }
        const enum sight one = criterion_holds(name, word, c);
        sight = one == SIGHT_IS ? sight : one;
        name = NULL;
    }
    free(words);
    return sight;
}

enum sight sshd_lines_match(const struct sshd_lines *lines, size_t match,
                            const struct sshd_connection *c)
{
    enum sight sight = SIGHT_IS;
    for (; match != 0 && sight != SIGHT_IS_NOT; match = lines->items[match - 1].match) {
        const enum sight one = line_holds(lines->items[match - 1].value, c);
        sight = one == SIGHT_IS ? sight : one;
    }
    return sight;
}
