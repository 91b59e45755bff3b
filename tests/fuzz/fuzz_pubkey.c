/* SPDX-License-Identifier: ISC */
/*
 * Public keys: one that is accepted is one key in its one spelling, fits into struct pubkey, and
 * has no control characters. The input is used as the text of a .pub file, and, because few
 * mutations of base64 are valid, also as a blob in words: `TYPE FIELD...`. A field is hexadecimal
 * digits (`*N` repeats the last byte); `/` starts bytes that are added without a length.
 */
#include "lib/lease/name.h"
#include "lib/lease/pubkey.h"

#include "tests/fuzz/fuzz.h"

#include <bsd/string.h>
#include <netinet/in.h>
#include <resolv.h>

enum { BLOB_BYTES = 4096 };

static bool is_base64(const char *s)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t len = strlen(s), digit_count = strspn(s, digits);
    size_t pads = strspn(s + digit_count, "=");
    return len > 0 && len % 4 == 0 && pads <= 2 && digit_count + pads == len;
}

static void check_key(const struct pubkey *key, const char *text)
{
    char line[sizeof(*key) + 8];
    struct pubkey again;

    MUST(memchr(key->type, '\0', sizeof(key->type)) != NULL, text);
    MUST(memchr(key->base64, '\0', sizeof(key->base64)) != NULL, text);
    MUST(memchr(key->fingerprint, '\0', sizeof(key->fingerprint)) != NULL, text);
    MUST(memchr(key->comment, '\0', sizeof(key->comment)) != NULL, text);
    MUST(fuzz_is_plain(key->type) && strpbrk(key->type, " \"") == NULL, text);
    MUST(is_base64(key->base64), text);
    MUST(strncmp(key->base64, "AAAA", 4) == 0, text);
    MUST(strncmp(key->fingerprint, "SHA256:", 7) == 0 && strlen(key->fingerprint) == 50, text);
    MUST(fuzz_is_harmless(key->comment), text);
    MUST(strlen(key->comment) <= LEASE_NOTE_MAX, text);

    MUST(pubkey_parse(key->type, key->base64, &again) == NULL, text);
    MUST(strcmp(again.type, key->type) == 0 && strcmp(again.base64, key->base64) == 0, text);
    MUST(strcmp(again.fingerprint, key->fingerprint) == 0, text);
    MUST(again.comment[0] == '\0', text);

    int len = snprintf(line, sizeof(line), "%s %s %s\r\n", key->type, key->base64, key->comment);
    MUST(pubkey_parse_file(line, (size_t)len, &again) == NULL, text);
    MUST(memcmp(again.fingerprint, key->fingerprint, sizeof(key->fingerprint)) == 0, text);
    MUST(strcmp(again.comment, key->comment) == 0, text);
}

/* The first string of the blob is its type. */
static void check_blob(const struct pubkey *key, const char *text)
{
    unsigned char blob[PUBKEY_BLOB_BYTES + 4];
    int len = b64_pton(key->base64, blob, sizeof(blob));
    size_t type_len = strlen(key->type);
    MUST(len > (int)type_len + 4 && len <= PUBKEY_BLOB_BYTES, text);
    MUST(blob[0] == 0 && blob[1] == 0 && blob[2] == 0 && blob[3] == type_len, text);
    MUST(memcmp(blob + 4, key->type, type_len) == 0, text);
}

static void check_as_file(const char *text, size_t size)
{
    struct pubkey key, canary;
    memset(&key, 0xa5, sizeof(key));
    canary = key;
    const char *problem = pubkey_parse_file(text, size, &key);
    if (problem != NULL) {
        MUST(*problem != '\0' && fuzz_is_plain(problem), text);
        MUST(memcmp(&key, &canary, sizeof(key)) == 0, text);
        return;
    }
    check_key(&key, text);
    check_blob(&key, text);
    /* No text with a private key in it is taken. */
    MUST(memmem(text, size, "PRIVATE KEY-----", 16) == NULL, text);
    MUST(memmem(text, size, "PuTTY-User-Key-File-", 20) == NULL, text);
    MUST(memmem(text, size, key.type, strlen(key.type)) != NULL, text);
    MUST(memmem(text, size, key.base64, strlen(key.base64)) != NULL, text);
    MUST(memmem(text, size, key.comment, strlen(key.comment)) != NULL, text);
    MUST(memchr(text, '\0', size) == NULL, text);
}

static int hex(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

struct blob {
    unsigned char bytes[BLOB_BYTES];
    size_t len;
};

static void add(struct blob *b, const void *mem, size_t len)
{
    if (len > sizeof(b->bytes) - b->len)
        len = sizeof(b->bytes) - b->len;
    memcpy(b->bytes + b->len, mem, len);
    b->len += len;
}

static void add_string(struct blob *b, const void *mem, size_t len)
{
    const unsigned char prefix[4] = {0, 0, (unsigned char)(len >> 8), (unsigned char)len};
    add(b, prefix, sizeof(prefix));
    add(b, mem, len);
}

/* Decodes pairs of digits; `*N` repeats the byte before it until there are N bytes. */
static void decode_field(const char *word, struct blob *field)
{
    field->len = 0;
    while (*word != '\0' && field->len < sizeof(field->bytes)) {
        int high = hex(word[0]), low = high >= 0 ? hex(word[1]) : -1;
        if (low >= 0) {
            field->bytes[field->len++] = (unsigned char)(high << 4 | low);
            word += 2;
        } else if (*word == '*' && field->len > 0) {
            unsigned long want = strtoul(word + 1, NULL, 10);
            unsigned char last = field->bytes[field->len - 1];
            while (field->len < want && field->len < sizeof(field->bytes))
                field->bytes[field->len++] = last;
            word++;
        } else {
            word++;
        }
    }
}

static void check_as_words(char *text)
{
    static struct blob blob, field;
    char base64[BLOB_BYTES * 4 / 3 + 8];
    struct pubkey key;
    char *rest = text;
    const char *type = strsep(&rest, " \n");

    blob.len = 0;
    add_string(&blob, type, strlen(type) & 0xffff);
    for (char *word; (word = strsep(&rest, " \n")) != NULL;) {
        decode_field(word, &field);
        if (*word == '/')
            add(&blob, field.bytes, field.len);
        else if (*word != '\0')
            add_string(&blob, field.bytes, field.len);
    }
    if (b64_ntop(blob.bytes, blob.len, base64, sizeof(base64)) < 0)
        return;
    if (pubkey_parse(type, base64, &key) != NULL)
        return;
    key.comment[0] = '\0';
    check_key(&key, text);
    check_blob(&key, text);
    MUST(strcmp(key.base64, base64) == 0, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    check_as_file(text, size);
    check_as_words(text);
    free(text);
    return 0;
}
