/* SPDX-License-Identifier: ISC */
#include "lib/lease/pubkey.h"

#include "lib/base/base64.h"
#include "lib/lease/name.h"
#include "lib/lease/ssh_string.h"

#include <bsd/string.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/*
 * The fields of each kind of blob, after its type. e: an mpint, RSA's exponent; n: an mpint, the
 * modulus; s: a string of `size` bytes; p: an uncompressed curve point of `size` bytes; c: the name
 * of the curve; a: the application of a security key.
 */
static const struct key_kind {
    const char *type;
    const char *fields;
    const char *curve;
    unsigned size;
} kinds[] = {
    {"ssh-ed25519", "s", NULL, 32},
    {"ecdsa-sha2-nistp256", "cp", "nistp256", 65},
    {"ecdsa-sha2-nistp384", "cp", "nistp384", 97},
    {"ecdsa-sha2-nistp521", "cp", "nistp521", 133},
    {"ssh-rsa", "en", NULL, 0},
    {"sk-ssh-ed25519@openssh.com", "sa", NULL, 32},
    {"sk-ecdsa-sha2-nistp256@openssh.com", "cpa", "nistp256", 65},
    /* One string: an ML-DSA-44 key of 1312 bytes, then an Ed25519 key. */
    {"ssh-mldsa44-ed25519@openssh.com", "s", NULL, 1312 + 32},
};

static const struct key_kind *find_kind(const char *type)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i].type, type) == 0)
            return &kinds[i];
    return NULL;
}

static bool equals(const struct ssh_span *r, const char *s)
{
    return r->left == strlen(s) && memcmp(r->at, s, r->left) == 0;
}

/* The bits of a positive mpint (RFC 4251 section 5); 0 if it is not one in its shortest form. */
static unsigned mpint_bits(const struct ssh_span *m)
{
    if (m->left == 0 || (m->at[0] & 0x80) != 0)
        return 0;
    if (m->at[0] == 0 && (m->left == 1 || (m->at[1] & 0x80) == 0))
        return 0;
    return ssh_number_bits(m);
}

static const char *check_field(const struct key_kind *kind, char field, const struct ssh_span *r)
{
    static const char damaged[] = "the key is damaged: its content does not match its type";
    switch (field) {
    case 's':
        return r->left == kind->size ? NULL : damaged;
    case 'p':
        return r->left == kind->size && r->at[0] == 4 ? NULL : damaged;
    case 'c':
        return equals(r, kind->curve) ? NULL : damaged;
    case 'e':
        return mpint_bits(r) >= 2 && (r->at[r->left - 1] & 1) != 0 ? NULL : damaged;
    case 'n':
        if (mpint_bits(r) == 0 || (r->at[r->left - 1] & 1) == 0)
            return damaged;
        if (mpint_bits(r) < PUBKEY_RSA_MIN_BITS)
            return "the RSA key is shorter than 2048 bits: make one with 'ssh-keygen -t ed25519'";
        if (mpint_bits(r) > PUBKEY_RSA_MAX_BITS)
            return "the RSA key is longer than 16384 bits: sshd does not accept it";
        return NULL;
    case 'a':
        return r->left > 0 && memchr(r->at, '\0', r->left) == NULL ? NULL : damaged;
    default:
        return damaged;
    }
}

static const char *check_blob(const struct key_kind *kind, const unsigned char *blob, size_t len)
{
    struct ssh_span r = {blob, len}, field;
    if (!ssh_string_next(&r, &field) || !equals(&field, kind->type))
        return "the key is of another type than it says";
    for (const char *f = kind->fields; *f != '\0'; f++) {
        if (!ssh_string_next(&r, &field))
            return "the key is cut off";
        const char *problem = check_field(kind, *f, &field);
        if (problem != NULL)
            return problem;
    }
    return r.left == 0 ? NULL : "the key has bytes after its end";
}

static const char *unknown_type(const char *type)
{
    if (strstr(type, "-cert-v01@openssh.com") != NULL)
        return "this is a certificate: a lease holds the plain public key";
    if (strcmp(type, "ssh-dss") == 0)
        return "DSA keys are not accepted: make one with 'ssh-keygen -t ed25519'";
    return "the key's type is not one of ed25519, ecdsa, rsa, their sk- forms, or mldsa44-ed25519";
}

const char *pubkey_type_at_end(const char *text, size_t len)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t type_len = strlen(kinds[i].type);
        if (type_len <= len && memcmp(text + len - type_len, kinds[i].type, type_len) == 0)
            return kinds[i].type;
    }
    return NULL;
}

const char *pubkey_parse(const char *type, const char *base64, struct pubkey *ret)
{
    unsigned char blob[PUBKEY_BLOB_BYTES];
    struct pubkey key = {.comment = ""};
    const struct key_kind *kind = find_kind(type);

    if (kind == NULL)
        return unknown_type(type);
    if (strlen(base64) >= sizeof(key.base64))
        return "the key is larger than any that sshd accepts";
    /* base64_decode accepts one spelling, so that each key is one text. */
    long len = base64_decode(base64, strlen(base64), blob, sizeof(blob));
    if (len <= 0)
        return "the key's base64 is damaged or cut off: copy the whole line of the .pub file";
    const char *problem = check_blob(kind, blob, (size_t)len);
    if (problem != NULL)
        return problem;
    (void)strlcpy(key.type, type, sizeof(key.type));
    (void)strlcpy(key.base64, base64, sizeof(key.base64));
    fingerprint_of_blob(blob, (size_t)len, key.fingerprint);
    *ret = key;
    return NULL;
}
