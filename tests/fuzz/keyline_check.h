/* SPDX-License-Identifier: ISC */
/* Crashes unless a key line has `restrict`, limits both directions, and has the permits of its
 * lease and no others. It reads the line with code of its own. */
#ifndef TUNLEASE_TESTS_FUZZ_KEYLINE_CHECK_H
#define TUNLEASE_TESTS_FUZZ_KEYLINE_CHECK_H

#include "lib/lease/lease.h"

#include "tests/fuzz/fuzz.h"

#define KEYLINE_HEAD "restrict,port-forwarding,"

enum { KEYLINE_VALUE_BYTES = 2048 };

/* Parses the next NAME="VALUE" of an option list. A value must have no \, with which sshd would
 * read a quote as part of the value. */
static inline const char *keyline_option_parse(const char *s, char *name,
                                               char value[KEYLINE_VALUE_BYTES], const char *text)
{
    size_t len = strspn(s, "abcdefghijklmnopqrstuvwxyz-");
    MUST(len > 0 && len < 32, text);
    memcpy(name, s, len);
    name[len] = '\0';
    s += len;
    MUST(s[0] == '=' && s[1] == '"', text);
    s += 2;
    len = strcspn(s, "\"");
    MUST(s[len] == '"' && len > 0 && len < KEYLINE_VALUE_BYTES, text);
    memcpy(value, s, len);
    value[len] = '\0';
    MUST(strpbrk(value, " \\") == NULL, text);
    return s + len + 1;
}

/* True if value, a HOST:PORT of the line, is a permit of the list in any spelling. */
static inline bool keyline_is_permitted(const struct permit_list *list, const char *value)
{
    struct permit p;
    if (permit_parse(value, PERMIT_PORT, &p) != NULL)
        return false;
    for (size_t i = 0; i < list->count; i++)
        if (permit_contains(&list->items[i], &p))
            return true;
    return false;
}

static inline size_t keyline_spellings(const struct permit_list *list)
{
    size_t n = 0;
    for (size_t i = 0; i < list->count; i++) {
        size_t ports = (size_t)(list->items[i].high - list->items[i].low) + 1;
        n += strcmp(list->items[i].host, "127.0.0.1") == 0 ? 2 * ports : ports;
    }
    return n;
}

struct keyline_seen {
    size_t open, listen, from, expiry, command;
};

static inline void check_keyline_option(const struct lease *l, const char *name, const char *value,
                                        struct keyline_seen *seen, const char *text)
{
    if (strcmp(name, "permitopen") == 0) {
        bool nothing = l->open.count == 0 && strcmp(value, "255.255.255.255:1") == 0;
        MUST(nothing || keyline_is_permitted(&l->open, value), text);
        seen->open++;
    } else if (strcmp(name, "permitlisten") == 0) {
        bool nothing = l->listen.count == 0 && strcmp(value, "NONE:1") == 0;
        MUST(nothing || keyline_is_permitted(&l->listen, value), text);
        seen->listen++;
    } else if (strcmp(name, "from") == 0) {
        struct source_list again;
        MUST(source_list_parse(value, &again) == NULL && again.count == l->from.count, text);
        seen->from++;
    } else if (strcmp(name, "expiry-time") == 0) {
        MUST(strlen(value) == 15 && strspn(value, "0123456789") == 14 && value[14] == 'Z', text);
        seen->expiry++;
    } else {
        MUST(strcmp(name, "command") == 0 && strcmp(value, "/usr/sbin/nologin") == 0, text);
        seen->command++;
    }
}

static inline void check_keyline(const struct lease *l, const struct pubkey *key, const char *line,
                                 size_t len, const char *text)
{
    char name[32], value[KEYLINE_VALUE_BYTES], tail[sizeof(*key) + LEASE_NAME_MAX + 8];
    struct keyline_seen seen = {0};
    const char *s = line;

    MUST(strlen(line) == len && len > 0, text);
    MUST(memchr(line, '\n', len) == line + len - 1, text);
    for (size_t i = 0; i + 1 < len; i++)
        MUST(line[i] >= 0x20 && line[i] < 0x7f, text);
    MUST(strncmp(line, KEYLINE_HEAD, strlen(KEYLINE_HEAD)) == 0, text);
    for (s += strlen(KEYLINE_HEAD);; s++) {
        s = keyline_option_parse(s, name, value, text);
        check_keyline_option(l, name, value, &seen, text);
        if (*s != ',')
            break;
    }
    (void)snprintf(tail, sizeof(tail), " %s %s %s\n", key->type, key->base64, l->name);
    MUST(strcmp(s, tail) == 0, text);
    MUST(seen.open == (l->open.count > 0 ? keyline_spellings(&l->open) : 1), text);
    MUST(seen.listen == (l->listen.count > 0 ? keyline_spellings(&l->listen) : 1), text);
    MUST(seen.from == (l->from.count > 0), text);
    MUST(seen.expiry == 1 && seen.command == 1, text);
}

#endif
