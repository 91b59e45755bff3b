/* SPDX-License-Identifier: ISC */
#include "lib/session/auth_info.h"

#include <stdint.h>
#include <string.h>

static const char method[] = "publickey ";

/* A longer text cannot be one line with the largest key. */
enum { AUTH_INFO_MAX = sizeof(method) + AUTH_KEY_TYPE_BYTES + AUTH_KEY_BASE64_BYTES };

const char *auth_info_parse(const char *text, struct auth_info *ret)
{
    uint8_t blob[AUTH_KEY_BLOB_BYTES];
    struct auth_info info;

    if (text == NULL || *text == '\0')
        return "sshd does not say which key was used";
    if (strncmp(text, method, sizeof(method) - 1) != 0)
        return "another method than publickey was used";
    size_t len = strnlen(text, AUTH_INFO_MAX + 1);
    const char *end = memchr(text, '\n', len);
    if (end == NULL)
        return "the key is too long, or its line has no end";
    if (end[1] != '\0')
        return "several methods or keys were used";

    const char *type = text + sizeof(method) - 1;
    const char *blank = memchr(type, ' ', (size_t)(end - type));
    if (blank == NULL || blank == type)
        return "the line of the key is malformed";
    size_t type_len = (size_t)(blank - type);
    const char *base64 = blank + 1;
    size_t base64_len = (size_t)(end - base64);
    if (type_len >= sizeof(info.key_type) || base64_len >= sizeof(info.key_base64))
        return "the key is too long";
    if (memmem(type, type_len, "-cert-", 6) != NULL)
        return "a certificate was used, and a lease holds plain keys";
    for (size_t i = 0; i < type_len; i++)
        if (type[i] <= ' ' || type[i] > '~')
            return "the line of the key is malformed";
    long blob_len = base64_decode(base64, base64_len, blob, sizeof(blob));
    if (blob_len <= 0)
        return "the key's base64 is malformed";

    memcpy(info.key_type, type, type_len);
    info.key_type[type_len] = '\0';
    memcpy(info.key_base64, base64, base64_len);
    info.key_base64[base64_len] = '\0';
    fingerprint_of_blob(blob, (size_t)blob_len, info.fingerprint);
    *ret = info;
    return NULL;
}
