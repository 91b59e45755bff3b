/* SPDX-License-Identifier: ISC */
#include "lib/lease/pubkey_form.h"

#include "lib/base/text.h"
#include "lib/lease/pubkey.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* ---- words of a text ---- */

/* True if word stands in text, in ASCII or, with step 2, in UTF-16 of either order. */
static bool has_word(const char *text, size_t len, const char *word, size_t step)
{
    size_t word_len = strlen(word);
    for (size_t i = 0; i + (word_len - 1) * step < len; i++) {
        size_t k = 0;
        while (k < word_len && text[i + k * step] == word[k])
            k++;
        if (k == word_len)
            return true;
    }
    return false;
}

static bool has(const char *text, size_t len, const char *word)
{
    return memmem(text, len, word, strlen(word)) != NULL;
}

static bool begins(const char *text, size_t len, const char *word)
{
    return len >= strlen(word) && memcmp(text, word, strlen(word)) == 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static size_t word_bytes(const char *s, size_t len)
{
    size_t n = 0;
    while (n < len && !is_blank(s[n]))
        n++;
    return n;
}

static size_t blank_bytes(const char *s, size_t len)
{
    size_t n = 0;
    while (n < len && is_blank(s[n]))
        n++;
    return n;
}

static bool is_type(const char *word, size_t len)
{
    const char *type = pubkey_type_at_end(word, len);
    return type != NULL && strlen(type) == len;
}

/* ---- private keys ---- */

static const char private_key[] =
    "this is a private key: keep it secret, and send the file that ends in .pub";
static const char putty_private_key[] =
    "this is a private key of PuTTY (.ppk): keep it secret, and send what 'puttygen FILE -L' "
    "prints, or PuTTYgen shows under 'Public key for pasting'";

const char *pubkey_form_private(const char *text, size_t len)
{
    static const struct {
        const char *word, *why;
    } marks[] = {
        {"PuTTY-User-Key-File-", putty_private_key},
        {"Private-Lines:", putty_private_key},
        {"PRIVATE KEY-----", private_key},
        {"BEGIN SSH2 ENCRYPTED PRIVATE KEY", private_key}, /* of ssh.com */
        {"SSH PRIVATE KEY FILE FORMAT", private_key},      /* of SSH 1 */
        {"b3BlbnNzaC1rZXktdjEA", private_key},             /* of OpenSSH, without its first line */
    };
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
        if (has_word(text, len, marks[i].word, 1) || has_word(text, len, marks[i].word, 2))
            return marks[i].why;
    return NULL;
}

/* ---- encodings ---- */

const char *pubkey_form_utf16(const char *text, size_t len)
{
    size_t nuls[2] = {0, 0};
    if (begins(text, len, "\xff\xfe") || begins(text, len, "\xfe\xff"))
        return "the file is UTF-16, as PowerShell writes it: 'iconv -f UTF-16 -t UTF-8 FILE' "
               "converts it";
    for (size_t i = 0; i < len; i++)
        nuls[i % 2] += text[i] == '\0';
    /* ASCII in UTF-16 has a NUL in each unit, always on the same side. */
    if (len < 2 || len % 2 != 0 || nuls[0] + nuls[1] != len / 2 || (nuls[0] != 0) == (nuls[1] != 0))
        return NULL;
    return nuls[1] != 0 ? "the file is UTF-16: 'iconv -f UTF-16LE -t UTF-8 FILE' converts it"
                        : "the file is UTF-16: 'iconv -f UTF-16BE -t UTF-8 FILE' converts it";
}

/* ---- blocks with a first and a last line ---- */

static const char *block(const char *text, size_t len)
{
    /* The beginning of the base64 of an Ed25519 key (RFC 8410 section 4). */
    static const char ed25519[] = "MCowBQYDK2Vw";
    if (has(text, len, "BEGIN SSH2 PUBLIC KEY"))
        return "this is a public key as PuTTY writes it (RFC 4716): 'ssh-keygen -i -f FILE' "
               "converts it";
    if (has(text, len, "-----BEGIN RSA PUBLIC KEY-----"))
        return "this is a public key in PEM: 'ssh-keygen -i -m PEM -f FILE' converts it";
    if (has(text, len, "-----BEGIN PUBLIC KEY-----"))
        return has(text, len, ed25519)
                   ? "this is an Ed25519 key in PEM, which ssh-keygen cannot convert: ask for a "
                     "key made with 'ssh-keygen -t ed25519'"
                   : "this is a public key in PEM: 'ssh-keygen -i -m PKCS8 -f FILE' converts it";
    if (has(text, len, "-----BEGIN CERTIFICATE-----"))
        return "this is an X.509 certificate: 'openssl x509 -in FILE -noout -pubkey | ssh-keygen "
               "-i -m PKCS8 -f /dev/stdin' prints its key, but its holder needs the private key "
               "in a form that ssh reads";
    if (has(text, len, "-----BEGIN PGP "))
        return "this is a key of PGP: ask for one made with 'ssh-keygen -t ed25519'";
    return NULL;
}

/* ---- lines ---- */

/* The options that sshd(8) knows, AUTHORIZED_KEYS FILE FORMAT: of these, or their beginning with
 * "no-". */
static bool is_option(const char *word, size_t len)
{
    static const char *const names[] = {"agent-forwarding",
                                        "cert-authority",
                                        "command",
                                        "environment",
                                        "expiry-time",
                                        "from",
                                        "permitlisten",
                                        "permitopen",
                                        "port-forwarding",
                                        "principals",
                                        "pty",
                                        "restrict",
                                        "tunnel",
                                        "user-rc",
                                        "verify-required",
                                        "touch-required",
                                        "x11-forwarding"};
    size_t n = 0;
    if (len > 3 && strncasecmp(word, "no-", 3) == 0) {
        word += 3;
        len -= 3;
    }
    while (n < len && word[n] != '=' && word[n] != ',')
        n++;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strlen(names[i]) == n && strncasecmp(word, names[i], n) == 0)
            return true;
    return false;
}

/* `HOST TYPE BASE64`, also behind a marker. */
static bool is_known_host(const char *line, size_t len)
{
    bool marked = begins(line, len, "@cert-authority") || begins(line, len, "@revoked");
    for (int skip = marked ? 2 : 1; skip > 0; skip--) {
        size_t n = word_bytes(line, len);
        if (!marked && is_option(line, n))
            return false;
        n += blank_bytes(line + n, len - n);
        line += n;
        len -= n;
    }
    return is_type(line, word_bytes(line, len));
}

static bool is_hex_pair(const char *s)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    return s[0] != '\0' && s[1] != '\0' && strchr(digits, s[0]) != NULL &&
           strchr(digits, s[1]) != NULL;
}

/* `[BITS] SHA256:... [COMMENT (TYPE)]`, or 16 bytes with colons between. */
static bool is_fingerprint(const char *line, size_t len)
{
    size_t digits = 0;
    while (digits < len && line[digits] >= '0' && line[digits] <= '9')
        digits++;
    size_t after = digits + blank_bytes(line + digits, len - digits);
    if (after > digits) {
        line += after;
        len -= after;
    }
    if (begins(line, len, "SHA256:") || begins(line, len, "MD5:"))
        return true;
    for (size_t i = 0; i < 16; i++)
        if (len < 3 * i + 2 || !is_hex_pair(line + 3 * i) || (i > 0 && line[3 * i - 1] != ':'))
            return false;
    return true;
}

static bool is_quoted(const char *line, size_t len)
{
    static const char *const quotes[] = {
        "\"",           "'",        "`",      "\xe2\x80\x9c", "\xe2\x80\x98",
        "\xe2\x80\x9e", "\xc2\xab", "&quot;", "&#34;",        "&#39;"};
    for (size_t i = 0; i < sizeof(quotes) / sizeof(quotes[0]); i++) {
        size_t n = strlen(quotes[i]);
        if (begins(line, len, quotes[i]) && is_type(line + n, word_bytes(line + n, len - n)))
            return true;
    }
    return false;
}

static bool is_html(const char *line, size_t len)
{
    static const char *const marks[] = {"&#",     "&amp;", "&lt;", "&nbsp;", "&quot;",
                                        "&plus;", "<br",   "<p>",  "<pre",   "<code",
                                        "<div",   "<span", "</"};
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
        if (has(line, len, marks[i]))
            return true;
    return false;
}

/* The characters of type and base64 are ASCII; a mail program or a word processor may have put
 * others between or in place of them. */
static bool is_typeset(const char *line, size_t len)
{
    size_t n = word_bytes(line, len);
    n += blank_bytes(line + n, len - n);
    n += word_bytes(line + n, len - n);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)line[i] >= 0x80)
            return has(line, len, "AAAA");
    return false;
}

static bool is_type_in_capitals(const char *line, size_t len)
{
    char type[PUBKEY_TYPE_BYTES];
    size_t n = word_bytes(line, len);
    if (n >= sizeof(type) || is_type(line, n))
        return false;
    for (size_t i = 0; i < n; i++)
        type[i] = text_lower(line[i]);
    return is_type(type, n);
}

/* ---- broken lines ---- */

static bool is_space(char c)
{
    return is_blank(c) || c == '\r' || c == '\n';
}

static size_t piece_bytes(const char *s, size_t len)
{
    size_t n = 0;
    while (n < len && !is_space(s[n]))
        n++;
    return n;
}

/* A piece of a mail in quoted-printable: a '=' ends a line that goes on, others are =3D. Returns
 * the length without that. */
static size_t undo_quoted_printable(char *base64, size_t len)
{
    size_t pads = 0;
    while (len >= 3 && memcmp(base64 + len - 3, "=3D", 3) == 0) {
        len -= 3;
        pads++;
    }
    if (pads == 0)
        return len > 0 && base64[len - 1] == '=' ? len - 1 : len;
    memset(base64 + len, '=', pads);
    return len + pads;
}

/* True if the words behind the type are the base64 of one key, in pieces. *ret_lines: only line
 * ends stand between them, and only blanks after the type. */
static bool is_broken(const char *line, size_t len, bool quoted_printable, bool *ret_lines)
{
    enum { PIECES_MAX = 64 };
    char type[PUBKEY_TYPE_BYTES], base64[PUBKEY_BASE64_BYTES];
    struct pubkey key;
    size_t used = 0, at = piece_bytes(line, len);
    if (at >= sizeof(type) || at == len || !is_type(line, at))
        return false;
    memcpy(type, line, at);
    type[at] = '\0';
    bool one_line = is_blank(line[at]);
    *ret_lines = one_line;
    for (int pieces = 1; pieces <= PIECES_MAX; pieces++) {
        for (; at < len && is_space(line[at]); at++)
            *ret_lines = *ret_lines && (pieces == 1) == is_blank(line[at]);
        size_t bytes = piece_bytes(line + at, len - at);
        if (bytes == 0 || used + bytes >= sizeof(base64))
            return false;
        memcpy(base64 + used, line + at, bytes);
        used += bytes;
        at += bytes;
        if (quoted_printable)
            used = undo_quoted_printable(base64, used);
        base64[used] = '\0';
        if (memchr(base64, '\0', used) == NULL && pubkey_parse(type, base64, &key) == NULL)
            return pieces > 1 || !one_line;
    }
    return false;
}

static const char *broken(const char *line, size_t len)
{
    bool lines = false;
    if (is_broken(line, len, false, &lines))
        return lines ? "the key is broken into lines, as mail programs do: \"tr -d '\\r\\n' "
                       "<FILE\" joins them; or ask for the .pub file itself"
                     : "the key is broken into pieces, as mail programs do: join them to one line "
                       "'TYPE BASE64 COMMENT', or ask for the .pub file itself";
    if (is_broken(line, len, true, &lines))
        return "this is the raw text of a mail (quoted-printable): save the .pub file from it";
    return NULL;
}

const char *pubkey_form_other(const char *text, size_t len, const char *line, size_t line_bytes)
{
    const char *problem = block(text, len);
    if (problem != NULL)
        return problem;
    if (is_quoted(line, line_bytes))
        return "there are quotes around the key: take them away";
    if (is_html(line, line_bytes))
        return "this is HTML: ask for the .pub file itself, or for the line as plain text";
    if (begins(line, line_bytes, ">"))
        return "the line is quoted from a mail: take away the '>' before it";
    if (is_known_host(line, line_bytes))
        return "this is a line of known_hosts, the key of a host and not of a person: ask for the "
               ".pub file";
    if (is_fingerprint(line, line_bytes))
        return "this is the fingerprint of a key, and not the key: ask for the .pub file";
    if (begins(line, line_bytes, "AAAA"))
        return "the key has no type before it: copy the whole line, as in 'ssh-ed25519 AAAA...'";
    if (is_type_in_capitals(line, line_bytes))
        return "the key's type must be in small letters, as in 'ssh-ed25519 AAAA...'";
    if (is_typeset(line, line_bytes))
        return "characters that are not ASCII stand in the key, as word processors and chats put "
               "them there: ask for the .pub file itself";
    return broken(line, (size_t)(text + len - line));
}

const char *pubkey_form_two(const char *line, size_t line_bytes)
{
    size_t type_bytes = word_bytes(line, line_bytes);
    if (!is_type(line, type_bytes))
        return NULL;
    for (size_t i = type_bytes + 1; i < line_bytes; i++)
        if (is_blank(line[i]) && begins(line + i + 1, line_bytes - i - 1, "AAAA") &&
            pubkey_type_at_end(line + type_bytes, i - type_bytes) != NULL)
            return "two keys stand in one line: send one, on a line of its own";
    return NULL;
}
