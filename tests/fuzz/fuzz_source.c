/* SPDX-License-Identifier: ISC */
/* Lists of addresses: they are canonical, have no host bits, and match exactly what is in them. */
#include "lib/base/buf.h"
#include "lib/lease/source.h"

#include "tests/fuzz/fuzz.h"

#include <arpa/inet.h>

static bool bit(const struct source *src, unsigned i)
{
    return (src->bytes[i / 8] >> (7 - i % 8) & 1) != 0;
}

/* The address with the zone of src, as sshd shows a client. */
static void format_client(const struct source *src, const unsigned char *bytes, char *out,
                          size_t out_bytes)
{
    char address[INET6_ADDRSTRLEN] = "";
    (void)inet_ntop(src->family, bytes, address, sizeof(address));
    (void)snprintf(out, out_bytes, "%s%s%s", address, src->zone[0] != '\0' ? "%" : "", src->zone);
}

static void check_source(const struct source *src, const char *text)
{
    struct source_list alone = {.items = {*src}, .count = 1};
    struct source edge = *src;
    char address[INET6_ADDRSTRLEN + SOURCE_ZONE_BYTES], mapped[sizeof(address) + 8];
    unsigned bits = src->family == AF_INET ? 32 : 128;

    MUST(src->family == AF_INET || src->family == AF_INET6, text);
    MUST(src->prefix_bits <= bits, text);
    for (unsigned i = src->prefix_bits; i < 128; i++)
        MUST(!bit(src, i), text);

    format_client(src, src->bytes, address, sizeof(address));
    MUST(source_list_matches(&alone, address), text);
    if (src->family == AF_INET) {
        (void)snprintf(mapped, sizeof(mapped), "::ffff:%s", address);
        MUST(source_list_matches(&alone, mapped), text);
    }
    /* Its last address is in it; with the last bit of the prefix flipped, it is not. */
    for (unsigned i = src->prefix_bits; i < bits; i++)
        edge.bytes[i / 8] |= (unsigned char)(0x80U >> i % 8);
    format_client(src, edge.bytes, address, sizeof(address));
    /* ::/N with N below 96 also covers the IPv4-mapped block, which sshd and we treat as IPv4. */
    bool spans_mapped = src->family == AF_INET6 && strncmp(address, "::ffff:", 7) == 0 &&
                        strchr(address, '.') != NULL;
    MUST(spans_mapped || source_list_matches(&alone, address), text);
    if (src->prefix_bits > 0) {
        unsigned last = src->prefix_bits - 1;
        edge.bytes[last / 8] ^= (unsigned char)(0x80U >> last % 8);
        format_client(src, edge.bytes, address, sizeof(address));
        MUST(!source_list_matches(&alone, address), text);
    }
    MUST(!source_list_matches(&alone, src->family == AF_INET ? "2001:db8::1" : "192.0.2.1"), text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    struct source_list list, again, canary;
    struct buf once = {0}, twice = {0};

    memset(&list, 0xa5, sizeof(list));
    canary = list;
    const char *problem = source_list_parse(text, &list);
    if (problem != NULL) {
        MUST(*problem != '\0' && fuzz_is_plain(problem), text);
        MUST(memcmp(&list, &canary, sizeof(list)) == 0, text);
        goto out;
    }
    MUST(list.count >= 1 && list.count <= SOURCE_LIST_MAX, text);
    for (size_t i = 0; i < list.count; i++)
        check_source(&list.items[i], text);
    source_list_format(&list, &once);
    if (strchr(buf_text(&once), '%') == NULL)
        MUST(strspn(buf_text(&once), "0123456789abcdef.:/,") == once.len, text);
    MUST(strpbrk(buf_text(&once), " \"\\\n") == NULL, text);
    MUST(source_list_parse(buf_text(&once), &again) == NULL, text);
    MUST(again.count == list.count, text);
    for (size_t i = 0; i < list.count; i++) {
        const struct source *a = &list.items[i], *b = &again.items[i];
        MUST(a->family == b->family && a->prefix_bits == b->prefix_bits, text);
        MUST(memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0, text);
        MUST(strcmp(a->zone, b->zone) == 0, text);
    }
    source_list_format(&again, &twice);
    MUST(strcmp(buf_text(&once), buf_text(&twice)) == 0, text);
out:
    (void)source_list_matches(&(struct source_list){.count = 1}, text);
    buf_release(&once);
    buf_release(&twice);
    free(text);
    return 0;
}
