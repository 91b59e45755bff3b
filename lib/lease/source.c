/* SPDX-License-Identifier: ISC */
#include "lib/lease/source.h"

#include "lib/base/buf.h"
#include "lib/base/number.h"

#include <arpa/inet.h>
#include <bsd/string.h>
#include <string.h>

enum {
    SOURCE_TEXT_BYTES = INET6_ADDRSTRLEN + SOURCE_ZONE_BYTES + 4,
    LINK_LOCAL_BITS = 10, /* of fe80::/10 (RFC 4291 section 2.4) */
};

static unsigned family_bits(int family)
{
    return family == AF_INET ? 32 : 128;
}

static void clear_host_bits(struct source *src)
{
    for (unsigned bit = src->prefix_bits; bit < family_bits(src->family); bit++)
        src->bytes[bit / 8] &= (unsigned char)~(0x80U >> bit % 8);
}

static bool is_link_local(const struct source *src)
{
    return src->family == AF_INET6 && src->bytes[0] == 0xfe && (src->bytes[1] & 0xc0) == 0x80;
}

/* Cuts the zone off text, and sets it. False: it is malformed. */
static bool take_zone(char *text, char zone[static SOURCE_ZONE_BYTES])
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    char *percent = strchr(text, '%');
    zone[0] = '\0';
    if (percent == NULL)
        return true;
    *percent = '\0';
    size_t len = strspn(percent + 1, allowed);
    return len > 0 && percent[1 + len] == '\0' &&
           strlcpy(zone, percent + 1, SOURCE_ZONE_BYTES) < SOURCE_ZONE_BYTES;
}

static bool parse_numbers(const char *s, struct source *src)
{
    static const unsigned char v4_mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (inet_pton(AF_INET, s, src->bytes) != 1) {
        src->family = AF_INET6;
        if (inet_pton(AF_INET6, s, src->bytes) != 1)
            return false;
        if (memcmp(src->bytes, v4_mapped, sizeof(v4_mapped)) == 0) { /* sshd treats it as IPv4 */
            memcpy(src->bytes, src->bytes + 12, 4);
            memset(src->bytes + 4, 0, 12);
            src->family = AF_INET;
        }
    }
    src->prefix_bits = family_bits(src->family);
    return true;
}

static bool parse_address(const char *s, struct source *ret)
{
    char text[SOURCE_TEXT_BYTES];
    *ret = (struct source){.family = AF_INET};
    return strlcpy(text, s, sizeof(text)) < sizeof(text) && take_zone(text, ret->zone) &&
           parse_numbers(text, ret) && (ret->zone[0] == '\0' || is_link_local(ret));
}

static const char *parse_source(const char *s, size_t len, struct source *ret)
{
    char text[SOURCE_TEXT_BYTES];
    struct source src;

    if (len == 0)
        return "an address is missing";
    if (len >= sizeof(text))
        return "an address is too long";
    memcpy(text, s, len);
    text[len] = '\0';
    char *slash = strchr(text, '/');
    if (slash != NULL)
        *slash++ = '\0';
    if (!parse_address(text, &src))
        return "an address is neither IPv4 nor IPv6 (names are not accepted: sshd would ask DNS)";
    if (slash != NULL) {
        int64_t bits;
        if (strchr(text, ':') != NULL && src.family == AF_INET)
            return "a network of IPv4 addresses must be written as IPv4";
        if (!number_parse(slash, strlen(slash), 0, 999, &bits))
            return "a prefix length is malformed";
        if (bits > family_bits(src.family))
            return "a prefix length is too large";
        if (src.zone[0] != '\0' && bits < LINK_LOCAL_BITS)
            return "a network on an interface has at least 10 bits (fe80::%eth0/10)";
        src.prefix_bits = (unsigned)bits;
        clear_host_bits(&src);
    }
    *ret = src;
    return NULL;
}

const char *source_list_parse(const char *s, struct source_list *ret)
{
    struct source_list list = {.count = 0};
    for (;;) {
        size_t len = strcspn(s, ",");
        if (list.count == SOURCE_LIST_MAX)
            return "there are more than 32 addresses";
        const char *problem = parse_source(s, len, &list.items[list.count]);
        if (problem != NULL)
            return problem;
        list.count++;
        s += len;
        if (*s == '\0')
            break;
        s++;
    }
    *ret = list;
    return NULL;
}

void source_list_format(const struct source_list *list, struct buf *out)
{
    char text[INET6_ADDRSTRLEN];
    for (size_t i = 0; i < list->count; i++) {
        const struct source *src = &list->items[i];
        (void)inet_ntop(src->family, src->bytes, text, sizeof(text));
        buf_addf(out, "%s%s", i > 0 ? "," : "", text);
        if (src->zone[0] != '\0')
            buf_addf(out, "%%%s", src->zone);
        if (src->prefix_bits != family_bits(src->family))
            buf_addf(out, "/%u", src->prefix_bits);
    }
}

bool source_list_matches(const struct source_list *list, const char *addr)
{
    struct source who;
    if (list->count == 0)
        return true;
    if (!parse_address(addr, &who))
        return false;
    for (size_t i = 0; i < list->count; i++) {
        struct source masked = who;
        if (list->items[i].family != who.family || strcmp(list->items[i].zone, who.zone) != 0)
            continue;
        masked.prefix_bits = list->items[i].prefix_bits;
        clear_host_bits(&masked);
        if (memcmp(masked.bytes, list->items[i].bytes, sizeof(masked.bytes)) == 0)
            return true;
    }
    return false;
}
