/* SPDX-License-Identifier: ISC */
#include "lib/lease/authorized/key.h"

#include "lib/base/base64.h"
#include "lib/base/text.h"
#include "lib/lease/ssh_string.h"

#include <bsd/string.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    RSA_MIN_BITS = 1024,                    /* below, sshd does not read the key */
    BIGNUM_BYTES = PUBKEY_RSA_MAX_BITS / 8, /* sshd's largest */
    MLDSA_BYTES = 1312 + 32,
};

/*
 * What a key is, whatever name it goes by. fields as in pubkey.c: s: a string of `size` bytes; e,
 * n: an mpint; c: the name of the curve; p: a point; a: the application of a security key.
 */
struct family {
    const char *type; /* its one name */
    const char *fields;
    const char *curve;
    size_t size;
    const char *since;
};

static const struct family families[] = {
    {"ssh-ed25519", "s", NULL, 32, NULL},
    {"ecdsa-sha2-nistp256", "cp", "nistp256", 65, NULL},
    {"ecdsa-sha2-nistp384", "cp", "nistp384", 97, NULL},
    {"ecdsa-sha2-nistp521", "cp", "nistp521", 133, NULL},
    {"ssh-rsa", "en", NULL, 0, NULL},
    {"sk-ssh-ed25519@openssh.com", "sa", NULL, 32, NULL},
    {"sk-ecdsa-sha2-nistp256@openssh.com", "cpa", "nistp256", 65, NULL},
    {"ssh-mldsa44-ed25519@openssh.com", "s", NULL, MLDSA_BYTES, "10.4"},
};

static const char dsa_type[] = "ssh-dss";
static const char certificate_end[] = "-cert-v01@openssh.com";

/* Names of signatures that sshd takes for the name of a key, in the line and in the blob. */
static const struct {
    const char *alias, *type;
} aliases[] = {
    {"rsa-sha2-256", "ssh-rsa"},
    {"rsa-sha2-512", "ssh-rsa"},
    {"webauthn-sk-ecdsa-sha2-nistp256@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"},
};

/* Names that sshd takes in the blob only, in any case. */
static const struct {
    const char *alias, *type;
} short_names[] = {
    {"ED25519", "ssh-ed25519"},
    {"RSA", "ssh-rsa"},
    {"ED25519-SK", "sk-ssh-ed25519@openssh.com"},
};

static bool is_word(const char *word, size_t len, const char *name)
{
    return strlen(name) == len && memcmp(word, name, len) == 0;
}

static const struct family *find_family(const char *word, size_t len)
{
    for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
        if (is_word(word, len, aliases[i].alias)) {
            word = aliases[i].type;
            len = strlen(word);
        }
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
        if (is_word(word, len, families[i].type))
            return &families[i];
    return NULL;
}

static const struct family *find_family_of_blob(const char *word, size_t len)
{
    for (size_t i = 0; i < sizeof(short_names) / sizeof(short_names[0]); i++)
        if (strlen(short_names[i].alias) == len &&
            strncasecmp(word, short_names[i].alias, len) == 0)
            return find_family(short_names[i].type, strlen(short_names[i].type));
    return find_family(word, len);
}

static bool is_certificate(const char *word, size_t len)
{
    size_t end = sizeof(certificate_end) - 1;
    if (len <= end || memcmp(word + len - end, certificate_end, end) != 0)
        return false;
    /* The plain name, which of security keys ends in @openssh.com. */
    char plain[PUBKEY_TYPE_BYTES + sizeof("@openssh.com")];
    len -= end;
    if (len >= PUBKEY_TYPE_BYTES)
        return false;
    memcpy(plain, word, len);
    plain[len] = '\0';
    if (find_family(plain, len) != NULL || strcmp(plain, dsa_type) == 0)
        return true;
    (void)strlcat(plain, "@openssh.com", sizeof(plain));
    return find_family(plain, strlen(plain)) != NULL;
}

/* ---- the blob ---- */

struct out {
    uint8_t bytes[PUBKEY_BLOB_BYTES];
    size_t len;
    bool full;
};

/* A string that sshd reads as text: it may end in one NUL, and has no other. */
static bool get_text(struct ssh_span *r, struct ssh_span *ret)
{
    struct ssh_span s;
    if (!ssh_string_next(r, &s))
        return false;
    if (s.left > 0 && s.at[s.left - 1] == '\0')
        s.left--;
    if (s.left > 0 && memchr(s.at, '\0', s.left) != NULL)
        return false;
    *ret = s;
    return true;
}

/* A number of any length, zeros before it too; without them in *ret. */
static bool get_number(struct ssh_span *r, struct ssh_span *ret)
{
    struct ssh_span s;
    if (!ssh_string_next(r, &s) || (s.left > 0 && (s.at[0] & 0x80) != 0))
        return false;
    if (s.left > BIGNUM_BYTES + 1 || (s.left == BIGNUM_BYTES + 1 && s.at[0] != 0))
        return false;
    while (s.left > 0 && s.at[0] == 0) {
        s.at++;
        s.left--;
    }
    *ret = s;
    return true;
}

static void put(struct out *o, const void *bytes, size_t len)
{
    if (len > sizeof(o->bytes) - o->len) {
        o->full = true;
        return;
    }
    if (len > 0)
        memcpy(o->bytes + o->len, bytes, len);
    o->len += len;
}

/* pad: a number whose highest bit is set has a zero before it. */
static void put_string(struct out *o, const void *bytes, size_t len, bool pad)
{
    size_t n = len + pad;
    uint8_t head[5] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n, 0};
    put(o, head, pad ? 5 : 4);
    put(o, bytes, len);
}

static void put_number(struct out *o, const struct ssh_span *s)
{
    put_string(o, s->at, s->left, s->left > 0 && (s->at[0] & 0x80) != 0);
}

/* Copies one field into its one spelling; NULL, or what is wrong. */
static const char *copy_field(const struct family *f, char field, struct ssh_span *r, struct out *o)
{
    static const char damaged[] = "its content does not match its type";
    static const char cut[] = "it is cut off or damaged";
    struct ssh_span s;
    switch (field) {
    case 'e':
    case 'n':
        if (!get_number(r, &s))
            return cut;
        if (field == 'n' && ssh_number_bits(&s) < RSA_MIN_BITS)
            return "RSA of fewer than 1024 bits";
        put_number(o, &s);
        return NULL;
    case 'c':
        if (!get_text(r, &s))
            return cut;
        if (!is_word((const char *)s.at, s.left, f->curve))
            return damaged;
        break;
    case 'a':
        if (!get_text(r, &s))
            return cut;
        break;
    default: /* s, p */
        if (!ssh_string_next(r, &s))
            return cut;
        if (s.left != f->size || (field == 'p' && s.at[0] != 4))
            return damaged;
        break;
    }
    put_string(o, s.at, s.left, false);
    return NULL;
}

static const char *copy_blob(const struct family *family, struct ssh_span r, struct out *o)
{
    struct ssh_span name;
    if (!get_text(&r, &name))
        return "it is cut off or damaged";
    const char *word = (const char *)name.at;
    if (find_family_of_blob(word, name.left) != family)
        return "the key is of another type than the word before it";
    put_string(o, family->type, strlen(family->type), false);
    for (const char *field = family->fields; *field != '\0'; field++) {
        const char *problem = copy_field(family, *field, &r, o);
        if (problem != NULL)
            return problem;
    }
    if (r.left != 0)
        return "it has bytes after its end";
    return o->full ? "it is larger than any that sshd can use" : NULL;
}

/* NULL and *ret, or what is wrong with it. *ret_memory: out of memory. */
static const char *read_blob(const struct family *family, const char *base64, size_t len,
                             struct authorized_key *ret, bool *ret_memory)
{
    const char *problem = "out of memory";
    struct out o = {.len = 0};
    uint8_t *blob = malloc(len + 1);
    char *text = strndup(base64, len);
    *ret_memory = blob == NULL || text == NULL;
    if (*ret_memory)
        goto out;
    /* sshd's own decoder: it passes over a carriage return, for example. */
    int bytes = b64_pton(text, blob, len);
    problem = "its base64 is damaged or cut off";
    if (bytes < 0)
        goto out;
    problem = copy_blob(family, (struct ssh_span){blob, (size_t)bytes}, &o);
    if (problem != NULL)
        goto out;
    struct pubkey *key = &ret->key;
    key->comment[0] = '\0';
    (void)strlcpy(key->type, family->type, sizeof(key->type));
    if (b64_ntop(o.bytes, o.len, key->base64, sizeof(key->base64)) < 0) {
        problem = "it is larger than any that sshd can use";
        goto out;
    }
    fingerprint_of_blob(o.bytes, o.len, key->fingerprint);
    struct pubkey again;
    ret->problem = pubkey_parse(key->type, key->base64, &again);
    ret->since = family->since;
out:
    free(blob);
    free(text);
    return problem;
}

enum authorized_key_rc authorized_key_read(const char **at, struct authorized_key *ret)
{
    const char *s = *at;
    size_t type_bytes = strcspn(s, " \t");
    const char *base64 = s + type_bytes + strspn(s + type_bytes, " \t");
    size_t base64_bytes = strcspn(base64, " \t");
    if (s[type_bytes] == '\0')
        return AUTHORIZED_KEY_NONE;
    if (is_word(s, type_bytes, dsa_type))
        return AUTHORIZED_KEY_DSA;
    if (is_certificate(s, type_bytes))
        return AUTHORIZED_KEY_CERTIFICATE;
    const struct family *family = find_family(s, type_bytes);
    if (family == NULL)
        return AUTHORIZED_KEY_NONE;
    if (*base64 == '\0') {
        ret->damage = "nothing stands behind its type";
        return AUTHORIZED_KEY_DAMAGED;
    }
    bool no_memory;
    ret->damage = read_blob(family, base64, base64_bytes, ret, &no_memory);
    if (ret->damage != NULL)
        return no_memory ? AUTHORIZED_KEY_MEMORY : AUTHORIZED_KEY_DAMAGED;
    const char *rest = base64 + base64_bytes;
    *at = rest + strspn(rest, " \t");
    return AUTHORIZED_KEY_OK;
}
