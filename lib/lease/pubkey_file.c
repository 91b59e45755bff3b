/* SPDX-License-Identifier: ISC */
/* The file that a person sends. What sshd passes to akc is parsed in pubkey.c alone. */
#include "lib/lease/name.h"
#include "lib/lease/pubkey.h"
#include "lib/lease/pubkey_form.h"

#include <bsd/string.h>
#include <stdbool.h>
#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Cuts the next word off *s and ends it with a NUL in place. */
static char *cut_word(char **s)
{
    char *p = *s;
    while (is_blank(*p))
        p++;
    char *word = p;
    while (*p != '\0' && !is_blank(*p))
        p++;
    if (*p != '\0')
        *p++ = '\0';
    *s = p;
    return word;
}

/* False for the start of an option list: a key type starts like one of these, also a type that is
 * refused by its name. */
static bool looks_like_type(const char *word)
{
    return strncmp(word, "ssh-", 4) == 0 || strncmp(word, "ecdsa-", 6) == 0 ||
           strncmp(word, "sk-", 3) == 0;
}

static const char *parse_line(char *line, struct pubkey *ret)
{
    char *type = cut_word(&line);
    if (!looks_like_type(type)) {
        bool key_follows = strstr(line, "ssh-") != NULL || strstr(line, "ecdsa-") != NULL;
        return key_follows
                   ? "the line has options before the key: a lease sets its own; "
                     "send the line of the .pub file as it is"
                   : "this is not an OpenSSH public key (a line like 'ssh-ed25519 AAAA...')";
    }
    char *base64 = cut_word(&line);
    if (*base64 == '\0')
        return "the key is cut off: there is nothing after its type";
    struct pubkey key;
    const char *problem = pubkey_parse(type, base64, &key);
    if (problem != NULL)
        return problem;
    while (is_blank(*line))
        line++;
    size_t len = strlen(line);
    while (len > 0 && is_blank(line[len - 1]))
        line[--len] = '\0';
    if (free_text_problem(line) != NULL)
        return "the key's comment is too long, not UTF-8, or holds control characters";
    (void)strlcpy(key.comment, line, sizeof(key.comment));
    *ret = key;
    return NULL;
}

/* What is wrong with one line; NULL: *ret is its key. */
static const char *parse_one(const char *text, size_t len, const char *at, size_t line_bytes,
                             struct pubkey *ret)
{
    char line[PUBKEY_TYPE_BYTES + PUBKEY_BASE64_BYTES + PUBKEY_COMMENT_BYTES + 64];
    if (line_bytes >= sizeof(line))
        return "the line is longer than any public key";
    const char *form = pubkey_form_two(at, line_bytes);
    if (form != NULL)
        return form;
    memcpy(line, at, line_bytes);
    line[line_bytes] = '\0';
    const char *problem = parse_line(line, ret);
    if (problem != NULL)
        form = pubkey_form_other(text, len, at, line_bytes);
    return form != NULL ? form : problem;
}

const char *pubkey_parse_file(const char *text, size_t len, struct pubkey *ret)
{
    static const char utf8_mark[] = "\xef\xbb\xbf";
    struct pubkey key;
    bool found = false;

    const char *form = pubkey_form_private(text, len);
    if (form == NULL)
        form = pubkey_form_utf16(text, len);
    if (form != NULL)
        return form;
    if (memchr(text, '\0', len) != NULL)
        return "the file holds a NUL byte: it is not a public key";
    if (len >= sizeof(utf8_mark) - 1 && memcmp(text, utf8_mark, sizeof(utf8_mark) - 1) == 0) {
        text += sizeof(utf8_mark) - 1;
        len -= sizeof(utf8_mark) - 1;
    }
    for (const char *end, *at = text; at < text + len; at = end + 1) {
        size_t rest = (size_t)(text + len - at);
        end = memchr(at, '\n', rest);
        if (end == NULL)
            end = at + rest;
        size_t line_bytes = (size_t)(end - at);
        if (line_bytes > 0 && at[line_bytes - 1] == '\r')
            line_bytes--;
        while (line_bytes > 0 && is_blank(*at)) {
            at++;
            line_bytes--;
        }
        if (line_bytes == 0 || *at == '#')
            continue;
        if (found)
            return "there is more than one line: send exactly one public key";
        const char *problem = parse_one(text, len, at, line_bytes, &key);
        if (problem != NULL)
            return problem;
        found = true;
    }
    if (!found)
        return "there is no public key in it";
    *ret = key;
    return NULL;
}
