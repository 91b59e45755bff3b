/* SPDX-License-Identifier: ISC */
#include "lib/lease/authorized/from.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { NETWORK_BYTES = 64 }; /* sshd's own limit of an address with its prefix */

/* What sshd takes a word of the list for. */
enum word { WORD_NETWORK, WORD_PATTERN, WORD_ERROR };

/* The bytes of an address; 0: it is none. getaddrinfo, as in sshd: it also takes `127.1`. */
static size_t parse_address(const char *text, uint8_t out[static 16])
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM}, *found = NULL;
    size_t bytes = 0;
    if (getaddrinfo(text, NULL, &hints, &found) != 0 || found == NULL)
        return 0;
    if (found->ai_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, found->ai_addr, sizeof(in));
        memcpy(out, &in.sin_addr, bytes = 4);
    } else if (found->ai_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, found->ai_addr, sizeof(in6));
        memcpy(out, &in6.sin6_addr, bytes = 16);
    }
    freeaddrinfo(found);
    return bytes;
}

static bool has_host_bits(const uint8_t *address, size_t bytes, unsigned long prefix)
{
    for (size_t bit = prefix; bit < bytes * 8; bit++)
        if ((address[bit / 8] & (0x80U >> (bit % 8))) != 0)
            return true;
    return false;
}

static enum word classify(const char *word, size_t len)
{
    char text[NETWORK_BYTES];
    uint8_t address[16];
    if (len >= sizeof(text))
        return WORD_PATTERN;
    memcpy(text, word, len);
    text[len] = '\0';
    unsigned long prefix = 0;
    char *slash = strchr(text, '/');
    if (slash != NULL) {
        char *end;
        *slash++ = '\0';
        prefix = strtoul(slash, &end, 10);
        if (*slash < '0' || *slash > '9' || *end != '\0' || prefix > 128)
            return WORD_PATTERN;
    }
    size_t bytes = parse_address(text, address);
    if (bytes == 0)
        return WORD_PATTERN;
    if (slash == NULL)
        return WORD_NETWORK;
    return prefix > bytes * 8 || has_host_bits(address, bytes, prefix) ? WORD_ERROR : WORD_NETWORK;
}

/* The next word of *list, without its `!`; false behind the last. */
static bool next_word(const char **list, const char **ret, size_t *ret_len, bool *ret_excludes)
{
    if (*list == NULL)
        return false;
    size_t len = strcspn(*list, ",");
    const char *end = *list + len;
    *ret_excludes = **list == '!';
    *ret = *list + *ret_excludes;
    *ret_len = len - *ret_excludes;
    *list = *end == ',' ? end + 1 : NULL;
    return true;
}

const char *authorized_from_problem(const char *list)
{
    const char *word;
    size_t len;
    bool excludes, includes = false;
    while (next_word(&list, &word, &len, &excludes)) {
        if (len == 0)
            return "a word of its list is empty, and then nobody matches";
        if (classify(word, len) == WORD_ERROR)
            return "a network in it has bits of a host set or a wrong length, and then nobody "
                   "matches";
        includes = includes || !excludes;
    }
    return includes ? NULL : "it only excludes, and so nobody matches";
}

/* True if an address could match the pattern: one that is written in full is no pattern. */
static bool may_be_address(const char *word, size_t len)
{
    if (memchr(word, '*', len) == NULL && memchr(word, '?', len) == NULL)
        return false;
    bool colon = memchr(word, ':', len) != NULL, dot = memchr(word, '.', len) != NULL;
    for (size_t i = 0; i < len && word[i] != '%'; i++) {
        if (memchr("0123456789.:*?", word[i], 14) != NULL)
            continue;
        /* sshd writes an IPv6 address in small letters, and without dots. */
        if (word[i] < 'a' || word[i] > 'f' || (dot && !colon))
            return false;
    }
    return true;
}

bool authorized_from_has_name(const char *list)
{
    const char *word;
    size_t len;
    bool excludes;
    while (next_word(&list, &word, &len, &excludes))
        if (len > 0 && classify(word, len) == WORD_PATTERN && !may_be_address(word, len))
            return true;
    return false;
}

/* True if it excludes something (`!`). */
static bool excludes_any(const char *list)
{
    return list[0] == '!' || strstr(list, ",!") != NULL;
}

bool authorized_from_is_any(const char *list)
{
    const char *word;
    size_t len;
    bool excludes, any = false, any_v4 = false, any_v6 = false;
    if (excludes_any(list))
        return false;
    while (next_word(&list, &word, &len, &excludes)) {
        const bool all =
            len > 2 && memcmp(word + len - 2, "/0", 2) == 0 && classify(word, len) == WORD_NETWORK;
        any = any || (len > 0 && strspn(word, "*") >= len);
        any_v6 = any_v6 || (all && memchr(word, ':', len) != NULL);
        any_v4 = any_v4 || (all && memchr(word, ':', len) == NULL);
    }
    return any || (any_v4 && any_v6);
}
