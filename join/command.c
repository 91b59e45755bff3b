/* SPDX-License-Identifier: ISC */
#include "join/command.h"

#include <bsd/string.h>
#include <string.h>

static const char blanks[] = " \t\r\n\v\f";
static const char code_characters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";
/* It reaches leased as any wrong code, so that it is counted and answered as one. */
static const char wrong_code[] = "-";

static const char too_long[] = "it is longer than 64 bytes";
static const char too_many[] = "it has more words than a code and --json";

static void take_code(const char *word, size_t len, char code[static JOIN_CODE_MAX + 1])
{
    if (strspn(word, code_characters) < len) {
        (void)strlcpy(code, wrong_code, JOIN_CODE_MAX + 1);
        return;
    }
    memcpy(code, word, len);
    code[len] = '\0';
}

const char *command_parse(const char *text, struct command *ret)
{
    static const char json[] = "--json", lease[] = "--json=lease";
    struct command c = {.json = false};
    if (text == NULL)
        text = "";
    if (strnlen(text, JOIN_CODE_MAX + 1) > JOIN_CODE_MAX)
        return too_long;
    for (const char *word = text + strspn(text, blanks); *word != '\0';
         word += strspn(word, blanks)) {
        size_t len = strcspn(word, blanks);
        bool is_lease = len == sizeof(lease) - 1 && memcmp(word, lease, len) == 0;
        bool is_json = is_lease || (len == sizeof(json) - 1 && memcmp(word, json, len) == 0);
        if (is_json ? c.json : c.code[0] != '\0')
            return too_many;
        c.lease_only = c.lease_only || is_lease;
        if (is_json)
            c.json = true;
        else
            take_code(word, len, c.code);
        word += len;
    }
    *ret = c;
    return NULL;
}

const char *command_parse_line(const char *line, size_t len,
                               char ret_code[static JOIN_CODE_MAX + 1])
{
    char text[JOIN_CODE_MAX + 1];
    struct command c;
    if (len > JOIN_CODE_MAX)
        return too_long;
    /* A NUL is a character like others that no code has. */
    for (size_t i = 0; i < len; i++)
        text[i] = line[i] != '\0' ? line[i] : '\1';
    text[len] = '\0';
    const char *problem = command_parse(text, &c);
    if (problem != NULL)
        return problem;
    if (c.json)
        return "only a code is read there";
    if (c.code[0] == '\0')
        return "there is no code in it";
    memcpy(ret_code, c.code, sizeof(c.code));
    return NULL;
}
