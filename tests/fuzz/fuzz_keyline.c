/* SPDX-License-Identifier: ISC */
/*
 * Key lines: for every lease that the parsers accept, keyline_format makes one line that has
 * `restrict`, limits both directions, and has the permits of the lease and no others. The input is
 * words; the first letter of a word says what it is (o open, l listen, f from, n name, e end in
 * seconds, k a key of that length).
 */
#include "lib/base/buf.h"
#include "lib/lease/keyline.h"
#include "lib/lease/lease.h"

#include "tests/fuzz/fuzz.h"

#include <bsd/string.h>

#define HEAD "restrict,port-forwarding,"

enum { VALUE_BYTES = 2048 };

/* Parses the next NAME="VALUE" of an option list. A value must have no \, with which sshd would
 * read a quote as part of the value. */
static const char *parse_option(const char *s, char *name, char value[VALUE_BYTES],
                                const char *text)
{
    size_t len = strspn(s, "abcdefghijklmnopqrstuvwxyz-");
    MUST(len > 0 && len < 32, text);
    memcpy(name, s, len);
    name[len] = '\0';
    s += len;
    MUST(s[0] == '=' && s[1] == '"', text);
    s += 2;
    len = strcspn(s, "\"");
    MUST(s[len] == '"' && len > 0 && len < VALUE_BYTES, text);
    memcpy(value, s, len);
    value[len] = '\0';
    MUST(strpbrk(value, " \\") == NULL, text);
    return s + len + 1;
}

/* True if value, a HOST:PORT of the line, is a permit of the list in any spelling. */
static bool is_permitted(const struct permit_list *list, const char *value)
{
    struct permit p;
    if (permit_parse(value, PERMIT_PORT, &p) != NULL)
        return false;
    for (size_t i = 0; i < list->count; i++)
        if (permit_contains(&list->items[i], &p))
            return true;
    return false;
}

static size_t spellings(const struct permit_list *list)
{
    size_t n = 0;
    for (size_t i = 0; i < list->count; i++) {
        size_t ports = (size_t)(list->items[i].high - list->items[i].low) + 1;
        n += strcmp(list->items[i].host, "127.0.0.1") == 0 ? 2 * ports : ports;
    }
    return n;
}

struct seen {
    size_t open, listen, from, expiry, command;
};

static void check_option(const struct lease *l, const char *name, const char *value,
                         struct seen *seen, const char *text)
{
    if (strcmp(name, "permitopen") == 0) {
        bool nothing = l->open.count == 0 && strcmp(value, "255.255.255.255:1") == 0;
        MUST(nothing || is_permitted(&l->open, value), text);
        seen->open++;
    } else if (strcmp(name, "permitlisten") == 0) {
        bool nothing = l->listen.count == 0 && strcmp(value, "NONE:1") == 0;
        MUST(nothing || is_permitted(&l->listen, value), text);
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

static void check_line(const struct lease *l, const struct pubkey *key, const char *line,
                       size_t len, const char *text)
{
    char name[32], value[VALUE_BYTES], tail[sizeof(*key) + LEASE_NAME_MAX + 8];
    struct seen seen = {0};
    const char *s = line;

    MUST(strlen(line) == len && len > 0, text);
    MUST(memchr(line, '\n', len) == line + len - 1, text);
    for (size_t i = 0; i + 1 < len; i++)
        MUST(line[i] >= 0x20 && line[i] < 0x7f, text);
    MUST(strncmp(line, HEAD, strlen(HEAD)) == 0, text);
    for (s += strlen(HEAD);; s++) {
        s = parse_option(s, name, value, text);
        check_option(l, name, value, &seen, text);
        if (*s != ',')
            break;
    }
    (void)snprintf(tail, sizeof(tail), " %s %s %s\n", key->type, key->base64, l->name);
    MUST(strcmp(s, tail) == 0, text);
    MUST(seen.open == (l->open.count > 0 ? spellings(&l->open) : 1), text);
    MUST(seen.listen == (l->listen.count > 0 ? spellings(&l->listen) : 1), text);
    MUST(seen.from == (l->from.count > 0), text);
    MUST(seen.expiry == 1 && seen.command == 1, text);
}

static void add_permit(struct permit_list *list, const char *word)
{
    struct permit p;
    if (permit_parse(word, PERMIT_RANGE, &p) == NULL)
        (void)permit_list_add(list, &p);
}

/* A key of any length that the parser accepts; its content does not matter here. */
static void make_key(struct pubkey *key, unsigned long len)
{
    static const char *const types[] = {"ssh-ed25519", "sk-ecdsa-sha2-nistp256@openssh.com"};
    (void)strlcpy(key->type, types[len & 1], sizeof(key->type));
    len %= sizeof(key->base64);
    memset(key->base64, '/', len);
    key->base64[len] = '\0';
}

static void apply_word(struct lease *l, struct pubkey *key, const char *word)
{
    switch (*word != '\0' ? *word++ : '\0') {
    case 'o':
        add_permit(&l->open, word);
        break;
    case 'l':
        add_permit(&l->listen, word);
        break;
    case 'f':
        (void)source_list_parse(word, &l->from);
        break;
    case 'n':
        if (lease_name_problem(word) == NULL)
            (void)strlcpy(l->name, word, sizeof(l->name));
        break;
    case 'e':
        l->expires_s = strtoll(word, NULL, 10);
        break;
    case 'k':
        make_key(key, strtoul(word, NULL, 10));
        break;
    default:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size), *words = strdup(text), *rest = words;
    struct lease l = {.name = "alice", .login = "pfwd"};
    struct pubkey key = {.type = "ssh-ed25519", .base64 = "AAAAkey", .comment = "\"\n,"};
    struct buf out = {0};

    for (char *word; (word = strsep(&rest, " \n")) != NULL;)
        apply_word(&l, &key, word);
    keyline_format(&l, &key, &out);
    MUST(!out.failed, text);
    check_line(&l, &key, buf_text(&out), out.len, text);
    buf_release(&out);
    lease_release(&l);
    free(words);
    free(text);
    return 0;
}
