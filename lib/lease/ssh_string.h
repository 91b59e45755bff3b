/* SPDX-License-Identifier: ISC */
/* The strings and numbers of SSH's binary formats, each with its length in front (RFC 4251 section
 * 5). Pure. */
#ifndef TUNLEASE_LEASE_SSH_STRING_H
#define TUNLEASE_LEASE_SSH_STRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that somebody else owns. */
struct ssh_span {
    const uint8_t *at;
    size_t left;
};

/* Moves r past the next string, which *ret is. False, with both unchanged: r does not hold it. */
static inline bool ssh_string_next(struct ssh_span *r, struct ssh_span *ret)
{
    if (r->left < 4)
        return false;
    size_t len = (size_t)r->at[0] << 24 | (size_t)r->at[1] << 16 | (size_t)r->at[2] << 8 | r->at[3];
    if (len > r->left - 4)
        return false;
    *ret = (struct ssh_span){r->at + 4, len};
    r->at += 4 + len;
    r->left -= 4 + len;
    return true;
}

/* The bits of the unsigned number in s, highest byte first; zeros before it do not count. */
static inline unsigned ssh_number_bits(const struct ssh_span *s)
{
    const uint8_t *at = s->at;
    size_t left = s->left;
    while (left > 0 && *at == 0) {
        at++;
        left--;
    }
    unsigned bits = (unsigned)left * 8;
    for (unsigned top = left > 0 ? *at : 0x80; (top & 0x80) == 0; top <<= 1)
        bits--;
    return bits;
}

#endif
