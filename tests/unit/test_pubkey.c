/* SPDX-License-Identifier: ISC */
/* Public keys: from ssh-keygen, built by hand, and damaged in every way. */
#include "lib/lease/pubkey.h"

#include "tests/unit/helpers.h"

#include <netinet/in.h>
#include <resolv.h>
#include <stdbool.h>

static char *dir;

static int set_up(void **state)
{
    (void)state;
    dir = temp_dir_make();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    temp_dir_remove(dir);
    return 0;
}

/* ---- blobs from bytes ---- */

/* One length-prefixed string: a text, or size bytes of which three are chosen. */
struct part {
    const char *text;
    size_t size;
    unsigned char first, second, last;
};

enum { BLOB_PARTS = 4, BLOB_BYTES_MAX = 4096, LINE_BYTES_MAX = 2 * BLOB_BYTES_MAX };

static size_t put_part(unsigned char *out, const struct part *p)
{
    size_t size = p->text != NULL ? strlen(p->text) : p->size;
    out[0] = (unsigned char)(size >> 24);
    out[1] = (unsigned char)(size >> 16);
    out[2] = (unsigned char)(size >> 8);
    out[3] = (unsigned char)size;
    out += 4;
    if (p->text != NULL) {
        memcpy(out, p->text, size);
    } else {
        memset(out, 0x5a, size);
        out[size - 1] = p->last;
        if (size > 1)
            out[1] = p->second;
        out[0] = p->first;
    }
    return 4 + size;
}

/* extra: bytes added (> 0) or cut off (< 0) at the end. */
static void blob_base64(const struct part *parts, int extra, char *out, size_t out_bytes)
{
    unsigned char blob[BLOB_BYTES_MAX];
    size_t len = 0;
    for (size_t i = 0; i < BLOB_PARTS && (parts[i].text != NULL || parts[i].size > 0); i++)
        len += put_part(blob + len, &parts[i]);
    for (; extra > 0; extra--)
        blob[len++] = 0;
    len -= (size_t)-extra;
    assert_true(b64_ntop(blob, len, out, out_bytes) > 0);
}

#define ED25519 "ssh-ed25519"
#define P256 "ecdsa-sha2-nistp256"
#define P384 "ecdsa-sha2-nistp384"
#define P521 "ecdsa-sha2-nistp521"
#define SK_ED25519 "sk-ssh-ed25519@openssh.com"
#define MLDSA "ssh-mldsa44-ed25519@openssh.com"
#define SK_P256 "sk-ecdsa-sha2-nistp256@openssh.com"

static const struct part ed25519_parts[BLOB_PARTS] = {{.text = ED25519}, {.size = 32}};
static const struct part p256_parts[BLOB_PARTS] = {
    {.text = P256}, {.text = "nistp256"}, {.size = 65, .first = 4}};

/* "TYPE BASE64" of a good key without padding, and of one with. */
static const char *ed25519_line(void)
{
    static char line[256] = ED25519 " ";
    blob_base64(ed25519_parts, 0, line + strlen(ED25519) + 1, 200);
    return line;
}

static const char *p256_base64(void)
{
    static char base64[256];
    blob_base64(p256_parts, 0, base64, sizeof(base64));
    return base64;
}

#define E3                                                                                         \
    {                                                                                              \
        .size = 1, .first = 3                                                                      \
    }
#define E65537                                                                                     \
    {                                                                                              \
        .size = 3, .first = 1, .last = 1                                                           \
    }
/* A modulus of 8 * (bytes - 1) bits, with the zero byte that keeps it positive. */
#define MODULUS(bytes)                                                                             \
    {                                                                                              \
        .size = (bytes), .second = 0x80, .last = 1                                                 \
    }

static const struct blob_row {
    const char *what;
    const char *type; /* in the line, next to the blob */
    struct part parts[BLOB_PARTS];
    int extra;
    const char *problem;
} blob_rows[] = {
    {"ed25519: 32 bytes", ED25519, {{.text = ED25519}, {.size = 32}}, 0, NULL},
    {"ed25519: 31 bytes", ED25519, {{.text = ED25519}, {.size = 31}}, 0, "damaged"},
    {"ed25519: 33 bytes", ED25519, {{.text = ED25519}, {.size = 33}}, 0, "damaged"},
    {"ed25519: no key", ED25519, {{.text = ED25519}}, 0, "cut off"},
    {"ed25519: one byte after the end", ED25519, {{.text = ED25519}, {.size = 32}}, 1, "after its"},
    {"ed25519: one byte short", ED25519, {{.text = ED25519}, {.size = 32}}, -1, "cut off"},
    {"ed25519: a third string",
     ED25519,
     {{.text = ED25519}, {.size = 32}, {.text = "x"}},
     0,
     "after its"},
    {"type beside and inside differ", ED25519, {{.text = P256}, {.size = 32}}, 0, "another type"},
    {"inner type longer by one", ED25519, {{.text = ED25519 "x"}, {.size = 32}}, 0, "another type"},
    {"inner type cut", ED25519, {{.text = ED25519}}, -1, "another type"},
    {"sk type over a plain blob", SK_ED25519, {{.text = ED25519}, {.size = 32}}, 0, "another type"},

    {"mldsa44-ed25519: 1344 bytes", MLDSA, {{.text = MLDSA}, {.size = 1344}}, 0, NULL},
    {"mldsa44-ed25519: a byte less", MLDSA, {{.text = MLDSA}, {.size = 1343}}, 0, "damaged"},
    {"mldsa44-ed25519: a byte more", MLDSA, {{.text = MLDSA}, {.size = 1345}}, 0, "damaged"},
    {"mldsa44-ed25519: its halves as two strings",
     MLDSA,
     {{.text = MLDSA}, {.size = 1312}, {.size = 32}},
     0,
     "damaged"},
    {"mldsa44-ed25519: bytes after the end",
     MLDSA,
     {{.text = MLDSA}, {.size = 1344}},
     1,
     "after its"},
    {"mldsa44-ed25519: no key", MLDSA, {{.text = MLDSA}}, 0, "cut off"},
    {"mldsa44-ed25519 over an ed25519 blob",
     MLDSA,
     {{.text = ED25519}, {.size = 32}},
     0,
     "another type"},
    {"ed25519 over an mldsa44-ed25519 blob",
     ED25519,
     {{.text = MLDSA}, {.size = 1344}},
     0,
     "another type"},

    {"sk-ed25519", SK_ED25519, {{.text = SK_ED25519}, {.size = 32}, {.text = "ssh:"}}, 0, NULL},
    {"sk-ed25519: application of one byte",
     SK_ED25519,
     {{.text = SK_ED25519}, {.size = 32}, {.text = "s"}},
     0,
     NULL},
    {"sk-ed25519: empty application",
     SK_ED25519,
     {{.text = SK_ED25519}, {.size = 32}, {.text = ""}},
     0,
     "damaged"},
    {"sk-ed25519: NUL in the application",
     SK_ED25519,
     {{.text = SK_ED25519}, {.size = 32}, {.size = 4, .first = 's', .last = ':'}},
     0,
     "damaged"},
    {"sk-ed25519: no application", SK_ED25519, {{.text = SK_ED25519}, {.size = 32}}, 0, "cut off"},
    {"sk-ed25519: 33 bytes",
     SK_ED25519,
     {{.text = SK_ED25519}, {.size = 33}, {.text = "ssh:"}},
     0,
     "damaged"},
    {"sk-ecdsa",
     SK_P256,
     {{.text = SK_P256}, {.text = "nistp256"}, {.size = 65, .first = 4}, {.text = "ssh:"}},
     0,
     NULL},
    {"sk-ecdsa: another curve",
     SK_P256,
     {{.text = SK_P256}, {.text = "nistp384"}, {.size = 65, .first = 4}, {.text = "ssh:"}},
     0,
     "damaged"},

    {"ecdsa 256", P256, {{.text = P256}, {.text = "nistp256"}, {.size = 65, .first = 4}}, 0, NULL},
    {"ecdsa 256: compressed point's mark",
     P256,
     {{.text = P256}, {.text = "nistp256"}, {.size = 65, .first = 2}},
     0,
     "damaged"},
    {"ecdsa 256: compressed point",
     P256,
     {{.text = P256}, {.text = "nistp256"}, {.size = 33, .first = 2}},
     0,
     "damaged"},
    {"ecdsa 256: 64 bytes",
     P256,
     {{.text = P256}, {.text = "nistp256"}, {.size = 64, .first = 4}},
     0,
     "damaged"},
    {"ecdsa 256: empty point",
     P256,
     {{.text = P256}, {.text = "nistp256"}, {.text = ""}},
     0,
     "damaged"},
    {"ecdsa 256: another curve inside",
     P256,
     {{.text = P256}, {.text = "nistp521"}, {.size = 65, .first = 4}},
     0,
     "damaged"},
    {"ecdsa 384", P384, {{.text = P384}, {.text = "nistp384"}, {.size = 97, .first = 4}}, 0, NULL},
    {"ecdsa 384 with the point of 256",
     P384,
     {{.text = P384}, {.text = "nistp384"}, {.size = 65, .first = 4}},
     0,
     "damaged"},
    {"ecdsa 521", P521, {{.text = P521}, {.text = "nistp521"}, {.size = 133, .first = 4}}, 0, NULL},
    {"ecdsa 521: one byte more",
     P521,
     {{.text = P521}, {.text = "nistp521"}, {.size = 134, .first = 4}},
     0,
     "damaged"},

    {"rsa: 2048 bits, smallest accepted",
     "ssh-rsa",
     {{.text = "ssh-rsa"}, E65537, MODULUS(257)},
     0,
     NULL},
    {"rsa: 2047 bits, largest refused",
     "ssh-rsa",
     {{.text = "ssh-rsa"}, E65537, {.size = 256, .first = 0x7f, .last = 1}},
     0,
     "shorter than"},
    {"rsa: 16384 bits, sshd's largest",
     "ssh-rsa",
     {{.text = "ssh-rsa"}, E65537, MODULUS(2049)},
     0,
     NULL},
    {"rsa: more than a blob may hold",
     "ssh-rsa",
     {{.text = "ssh-rsa"}, E65537, MODULUS(2305)},
     0,
     "larger than any"},
    {"rsa: exponent 3", "ssh-rsa", {{.text = "ssh-rsa"}, E3, MODULUS(257)}, 0, NULL},
    {"rsa: exponent 1",
     "ssh-rsa",
     {{.text = "ssh-rsa"}, {.size = 1, .first = 1}, MODULUS(257)},
     0,
     "damaged"},
    {"rsa: exponent 0", "ssh-rsa", {{.text = "ssh-rsa"}, {.text = ""}, MODULUS(257)}, 0, "damaged"},
    {"rsa: even exponent",
     "ssh-rsa",
     {{.text = "ssh-rsa"}, {.size = 1, .first = 4}, MODULUS(257)},
     0,
     "damaged"},
    {"rsa: negative exponent",
     "ssh-rsa",
     {{.text = "ssh-rsa"}, {.size = 1, .first = 0x81}, MODULUS(257)},
     0,
     "damaged"},
    {"rsa: exponent with a zero too many",
     "ssh-rsa",
     {{.text = "ssh-rsa"}, {.size = 2, .second = 3, .last = 3}, MODULUS(257)},
     0,
     "damaged"},
    {"rsa: even modulus",
     "ssh-rsa",
     {{.text = "ssh-rsa"}, E65537, {.size = 257, .second = 0x80, .last = 2}},
     0,
     "damaged"},
    {"rsa: negative modulus",
     "ssh-rsa",
     {{.text = "ssh-rsa"}, E65537, {.size = 257, .first = 0x80, .last = 1}},
     0,
     "damaged"},
    {"rsa: modulus with a zero too many",
     "ssh-rsa",
     {{.text = "ssh-rsa"}, E65537, {.size = 258, .second = 0x7f, .last = 1}},
     0,
     "damaged"},
    {"rsa: empty modulus", "ssh-rsa", {{.text = "ssh-rsa"}, E65537, {.text = ""}}, 0, "damaged"},
    {"rsa: no modulus", "ssh-rsa", {{.text = "ssh-rsa"}, E65537}, 0, "cut off"},

    {"dsa by name", "ssh-dss", {{.text = "ssh-dss"}, {.size = 32}}, 0, "DSA keys are not accepted"},
    {"rsa by its signature's name",
     "rsa-sha2-256",
     {{.text = "ssh-rsa"}, E65537, MODULUS(257)},
     0,
     "not one of"},
    {"type in upper case", "SSH-ED25519", {{.text = ED25519}, {.size = 32}}, 0, "not one of"},
    {"certificate by name",
     "ssh-ed25519-cert-v01@openssh.com",
     {{.text = ED25519}, {.size = 32}},
     0,
     "certificate"},
    {"empty type", "", {{.text = ED25519}, {.size = 32}}, 0, "not one of"},
};

static void blobs(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(blob_rows); i++) {
        const struct blob_row *row = &blob_rows[i];
        static char base64[LINE_BYTES_MAX];
        struct pubkey key = {.comment = "untouched"};
        blob_base64(row->parts, row->extra, base64, sizeof(base64));
        const char *problem = pubkey_parse(row->type, base64, &key);
        CHECK_PROBLEM(row->what, problem, row->problem);
        if (problem != NULL) {
            CHECK_TEXT(row->what, key.comment, "untouched");
            continue;
        }
        CHECK_TEXT(row->what, key.type, row->type);
        CHECK_TEXT(row->what, key.base64, base64);
        CHECK_TEXT(row->what, key.comment, "");
    }
}

/* ---- base64 ---- */

/* One key has one spelling: cut `cut` characters off, then add `add`. */
static const struct base64_row {
    const char *what;
    bool padded; /* the ecdsa key, whose base64 ends in one = */
    size_t cut;
    const char *add;
    const char *problem;
} base64_rows[] = {
    {"unpadded as it is", false, 0, "", NULL},
    {"unpadded, = added", false, 0, "=", "base64"},
    {"unpadded, == added", false, 0, "==", "base64"},
    {"unpadded, ==== added", false, 0, "====", "base64"},
    {"unpadded, one character short", false, 1, "", "base64"},
    {"unpadded, a group short", false, 4, "", "cut off"},
    {"unpadded, one character more", false, 0, "A", "base64"},
    {"unpadded, a group more", false, 0, "AAAA", "after its end"},
    {"padded as it is", true, 0, "", NULL},
    {"padded, = missing", true, 1, "", "base64"},
    {"padded, = twice", true, 0, "=", "base64"},
    {"padded, text after =", true, 0, "AAAA", "base64"},
    {"trailing bits not zero", true, 2, "B=", "base64"},
    {"line feed at the end", false, 0, "\n", "base64"},
    {"blank at the end", false, 0, " ", "base64"},
    {"vertical tab at the end", false, 0, "\v", "base64"},
    {"URL alphabet", false, 1, "-", "base64"},
    {"URL alphabet, _", false, 1, "_", "base64"},
    {"not ASCII", false, 1, "\xc3\xa4", "base64"},
    {"nothing", true, 140, "", "base64"},
};

static void base64_spellings(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(base64_rows); i++) {
        const struct base64_row *row = &base64_rows[i];
        const char *from = row->padded ? p256_base64() : strchr(ed25519_line(), ' ') + 1;
        char base64[300];
        struct pubkey key;
        size_t len = strlen(from);
        (void)snprintf(base64, sizeof(base64), "%.*s%s", (int)(row->cut < len ? len - row->cut : 0),
                       from, row->add);
        CHECK_PROBLEM(row->what, pubkey_parse(row->padded ? P256 : ED25519, base64, &key),
                      row->problem);
    }
    /* The row of the trailing bits means something only while the good key ends in a zero bit. */
    assert_string_equal(p256_base64() + strlen(p256_base64()) - 2, "A=");
}

static void base64_with_blank_inside(void **state)
{
    (void)state;
    static const char *const blanks[] = {" ", "\t", "\n", "\r\n", "\v"};
    const char *good = strchr(ed25519_line(), ' ') + 1;
    for (size_t i = 0; i < COUNT(blanks); i++) {
        char base64[300];
        struct pubkey key;
        (void)snprintf(base64, sizeof(base64), "%.20s%s%s", good, blanks[i], good + 20);
        CHECK_PROBLEM("blank inside the base64", pubkey_parse(ED25519, base64, &key), "base64");
    }
}

/* ---- files ---- */

static const struct file_row {
    const char *what;
    const char *before, *after; /* around `ssh-ed25519 BASE64` */
    const char *comment;        /* expected */
    const char *problem;
} file_rows[] = {
    {"no line end", "", "", "", NULL},
    {"line end", "", "\n", "", NULL},
    {"CRLF", "", "\r\n", "", NULL},
    {"CRLF after a comment", "", " c\r\n", "c", NULL},
    {"two CRs", "", " c\r\r\n", NULL, "comment"},
    {"CR as the line end", "", " c\rmore", NULL, "comment"},
    {"blanks before", " \t", "\n", "", NULL},
    {"blanks after", "", " \t \n", "", NULL},
    {"tab before the comment", "", "\tc\n", "c", NULL},
    {"blanks within a comment stay", "", " a  b \n", "a  b", NULL},
    {"tab within a comment", "", " a\tb\n", NULL, "comment"},
    {"blank and # lines around", "\n# x\n\n", " c\n\n# y\n \t\n\r\n", "c", NULL},
    {"# after blanks", " # x\n", "\n", "", NULL},
    {"the key commented out", "# ", "\n", NULL, "no public key"},
    {"a second line of nonsense", "", "\nx\n", NULL, "more than one"},
    {"nonsense before", "x\n", "\n", NULL, "not an OpenSSH public key"},
    {"options before the key", "restrict,port-forwarding ", "\n", NULL, "options before"},
    {"an option with blanks", "command=\"a b\" ", "\n", NULL, "options before"},
    {"no-pty before the key", "no-pty ", " c\n", NULL, "options before"},
    {"option in capitals", "X11-forwarding ", "\n", NULL, "options before"},
    {"host name before the key", "gw.example ", "\n", NULL, "known_hosts"},
    {"host names and port", "gw,[10.0.0.1]:2222 ", "\n", NULL, "known_hosts"},
    {"hashed host name", "|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|x= ", "\n", NULL, "known_hosts"},
    {"host with a marker", "@cert-authority *.example ", "\n", NULL, "known_hosts"},
    {"byte order mark", "\xef\xbb\xbf", " c\r\n", "c", NULL},
    {"byte order mark before a # line", "\xef\xbb\xbf# x\n", "\n", "", NULL},
    {"byte order mark twice", "\xef\xbb\xbf\xef\xbb\xbf", "\n", NULL, "not ASCII"},
    {"byte order mark before a later line", "# x\n\xef\xbb\xbf", "\n", NULL, "not ASCII"},
    {"byte order mark behind the key", "", " \xef\xbb\xbf\n", NULL, "comment"},
    {"quotes around", "\"", " c\"\n", NULL, "quotes around"},
    {"single quotes around", "'", "'\n", NULL, "quotes around"},
    {"typographic quotes around", "\xe2\x80\x9c", "\xe2\x80\x9d\n", NULL, "quotes around"},
    {"escaped quotes around", "&quot;", "&quot;\n", NULL, "quotes around"},
    {"quoted from a mail", "> ", "\n", NULL, "quoted from a mail"},
    {"an HTML element around", "<pre>", "</pre>\n", NULL, "HTML"},
    {"an HTML element behind", "", "<br>\n", NULL, "HTML"},
    {"HTML in the comment alone", "", " R&amp;D <br>\n", "R&amp;D <br>", NULL},
    {"a zero-width space before", "\xe2\x80\x8b", "\n", NULL, "not ASCII"},
    {"the key glued to itself", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA", "\n", NULL, "two keys"},
    {"two keys with a blank between", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA c ", "\n", NULL,
     "two keys"},
    {"a comment glued to the next key", "ssh-rsa AAAAB3Nz c@d", "\n", NULL, "two keys"},
    {"a type in the comment", "", " ssh-ed25519\n", "ssh-ed25519", NULL},
    {"a type and no key in the comment", "", " ssh-rsa AAA\n", "ssh-rsa AAA", NULL},
    {"UTF-8 in the comment", "", " J\xc3\xbcrg \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x94\x91\n",
     "J\xc3\xbcrg \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x94\x91", NULL},
    {"Latin-1 in the comment", "", " J\xfcrg\n", NULL, "comment"},
    {"overlong UTF-8", "", " \xc0\xaf\n", NULL, "comment"},
    {"surrogate", "", " \xed\xa0\x80\n", NULL, "comment"},
    {"UTF-8 cut off", "", " a\xc3\n", NULL, "comment"},
    {"escape", "", " \x1b[2J\n", NULL, "comment"},
    {"bell", "", " a\a\n", NULL, "comment"},
    {"DEL", "", " a\x7f\n", NULL, "comment"},
    {"C1", "", " a\xc2\x9bm\n", NULL, "comment"},
    {"no-break space, first after C1", "", " a\xc2\xa0z\n", "a\xc2\xa0z", NULL},
    {"right-to-left override", "", " a\xe2\x80\xae\n", NULL, "comment"},
    {"bidi isolate", "", " a\xe2\x81\xa6\n", NULL, "comment"},
    {"Arabic letter mark", "", " a\xd8\x9c\n", NULL, "comment"},
    {"quotes and # in a comment", "", " \"a\" #1\n", "\"a\" #1", NULL},
};

static void files(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(file_rows); i++) {
        const struct file_row *row = &file_rows[i];
        char text[1024];
        struct pubkey key = {.comment = "untouched"};
        int n = snprintf(text, sizeof(text), "%s%s%s", row->before, ed25519_line(), row->after);
        CHECK_PROBLEM(row->what, pubkey_parse_file(text, (size_t)n, &key), row->problem);
        CHECK_TEXT(row->what, key.comment, row->problem == NULL ? row->comment : "untouched");
    }
}

static void file_without_key(void **state)
{
    static const struct {
        const char *what, *text, *problem;
    } rows[] = {
        {"empty", "", "no public key"},
        {"blank", " \n\r\n", "no public key"},
        {"type alone", "ssh-ed25519\n", "cut off"},
        {"type and blanks", "ssh-ed25519  \t\n", "cut off"},
        {"base64 alone", "AAAAC3NzaC1lZDI1NTE5AAAA\n", "no type before it"},
        {"type in capitals", "Ssh-Ed25519 AAAAC3NzaC1lZDI1NTE5AAAA c\n", "small letters"},
        {"no-break space",
         "ssh-ed25519\xc2\xa0"
         "AAAAC3NzaC1lZDI1NTE5AAAA\n",
         "not ASCII"},
        {"en dash",
         "ssh\xe2\x80\x93"
         "ed25519 AAAAC3NzaC1lZDI1NTE5AAAA\n",
         "not ASCII"},
        {"RFC 4716", "---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n", "'ssh-keygen -i -f FILE'"},
        {"RFC 4716 below a mail", "Hi,\n---- BEGIN SSH2 PUBLIC KEY ----\n", "RFC 4716"},
        {"PEM of RSA", "-----BEGIN RSA PUBLIC KEY-----\nMIIB\n", "ssh-keygen -i -m PEM -f"},
        {"PEM public key", "-----BEGIN PUBLIC KEY-----\nMFkw\n", "ssh-keygen -i -m PKCS8 -f"},
        {"PEM of Ed25519", "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n", "cannot convert"},
        {"X.509", "-----BEGIN CERTIFICATE-----\nMIIB\n", "openssl x509 -in FILE"},
        {"PGP", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n", "PGP"},
        {"other PEM", "-----BEGIN EC PARAMETERS-----\n", "not an OpenSSH public key"},
        {"fingerprint", "SHA256:II6wHg0OQdXnKHLwWTDWP8+qLsAzy83AbDEA0wuLlOE\n", "fingerprint"},
        {"line of ssh-keygen -l", "256 SHA256:II6wHg0OQdXnKHLwWTDWP8 c (ED25519)", "fingerprint"},
        {"MD5 fingerprint", "256 MD5:d0:2a:3b:8b:11:65:d5:0d:5f:06:28:97:6c:5e:ff:9c", "fingerpr"},
        {"bare MD5", "d0:2a:3b:8b:11:65:d5:0d:5f:06:28:97:6c:5e:ff:9c\n", "fingerprint"},
        {"15 bytes", "d0:2a:3b:8b:11:65:d5:0d:5f:06:28:97:6c:5e:ff\n", "not an OpenSSH"},
        {"PuTTY private key", "PuTTY-User-Key-File-3: ssh-ed25519\n", "puttygen FILE -L"},
        {"the rest of one", "Comment: x\nPrivate-Lines: 1\n", "private key of PuTTY"},
        {"OpenSSH private key without its frame", "b3BlbnNzaC1rZXktdjEAAAAABG5v\n", "private key"},
        {"private key quoted from a mail", "> -----BEGIN RSA PRIVATE KEY-----\n", "private key"},
        {"private key of ssh.com", "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n", "private key"},
        {"PEM private key", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n", "private key"},
        {"PKCS#8, encrypted", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n", "private key"},
        {"private key after text", "x\n-----BEGIN EC PRIVATE KEY-----\n", "private key"},
        {"DSA", "ssh-dss AAAAB3NzaC1kc3M= c\n", "DSA"},
        {"unknown type", "ssh-xmss@openssh.com AAAA c\n", "not one of"},
        {"SSH 1", "2048 65537 1234567 me@host\n", "not an OpenSSH public key"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pubkey key;
        CHECK_PROBLEM(rows[i].what, pubkey_parse_file(rows[i].text, strlen(rows[i].text), &key),
                      rows[i].problem);
    }
}

/* Behind each `every` characters of a good line comes `between`. */
static void broken_lines(void **state)
{
    static const struct {
        const char *what, *between;
        size_t every, after; /* not in the first `after` characters */
        const char *problem;
    } rows[] = {
        {"not at all", "", 76, 0, NULL},
        {"at 40 columns", "\n", 40, 12, "tr -d '\\r\\n' <FILE"},
        {"at 40 columns, CRLF", "\r\n", 40, 12, "tr -d '\\r\\n' <FILE"},
        {"at 20 columns", "\n", 20, 12, "tr -d '\\r\\n' <FILE"},
        {"with blanks", " ", 40, 12, "broken into pieces"},
        {"lines that begin with blanks", "\n  ", 40, 12, "broken into pieces"},
        {"lines that end with blanks", " \n", 40, 12, "broken into pieces"},
        {"quoted-printable", "=\n", 40, 12, "quoted-printable"},
        {"with something else", "\n.", 40, 12, "cut off"},
        {"more than 64 pieces", "\n", 1, 12, "cut off"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[1024];
        struct pubkey key;
        const char *line = ed25519_line();
        int n = 0;
        for (size_t k = 0; line[k] != '\0'; k++)
            n += snprintf(text + n, sizeof(text) - (size_t)n, "%s%c",
                          k > rows[i].after && (k - rows[i].after) % rows[i].every == 0
                              ? rows[i].between
                              : "",
                          line[k]);
        n += snprintf(text + n, sizeof(text) - (size_t)n, " c@d\n");
        CHECK_PROBLEM(rows[i].what, pubkey_parse_file(text, (size_t)n, &key), rows[i].problem);
    }
    char text[1024];
    struct pubkey key;
    int n = snprintf(text, sizeof(text), "ssh-ed25519\n%s\nc@d\n", ed25519_line() + 12);
    CHECK_PROBLEM("at its blanks", pubkey_parse_file(text, (size_t)n, &key), "broken into pieces");
}

static void utf16(void **state)
{
    static const struct {
        const char *what;
        bool big, mark;
        size_t cut; /* bytes that are missing at the end */
        const char *problem;
    } rows[] = {
        {"little endian", false, true, 0, "'iconv -f UTF-16 -t UTF-8 FILE'"},
        {"big endian", true, true, 0, "'iconv -f UTF-16 -t UTF-8 FILE'"},
        {"little endian without a mark", false, false, 0, "iconv -f UTF-16LE"},
        {"big endian without a mark", true, false, 0, "iconv -f UTF-16BE"},
        {"without a mark, cut within a unit", false, false, 1, "NUL"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        static const char *const texts[] = {NULL, "-----BEGIN OPENSSH PRIVATE KEY-----\n"};
        for (size_t k = 0; k < COUNT(texts); k++) {
            char text[1024];
            struct pubkey key;
            size_t n = 0;
            if (rows[i].mark) {
                text[n++] = rows[i].big ? '\xfe' : '\xff';
                text[n++] = rows[i].big ? '\xff' : '\xfe';
            }
            for (const char *p = texts[k] != NULL ? texts[k] : ed25519_line(); *p != '\0'; p++) {
                text[n++] = rows[i].big ? '\0' : *p;
                text[n++] = rows[i].big ? *p : '\0';
            }
            CHECK_PROBLEM(rows[i].what, pubkey_parse_file(text, n - rows[i].cut, &key),
                          texts[k] != NULL ? "private key" : rows[i].problem);
        }
    }
}

static void comment_length(void **state)
{
    char text[600];
    struct pubkey key;
    (void)state;
    for (int len = 255; len <= 258; len++) {
        int n = snprintf(text, sizeof(text), "%s %0*d\n", ed25519_line(), len, 0);
        CHECK_PROBLEM("256 bytes largest accepted, 257 smallest refused",
                      pubkey_parse_file(text, (size_t)n, &key), len <= 256 ? NULL : "comment");
        assert_int_equal(strlen(key.comment), len <= 256 ? len : 256);
    }
    /* Bytes count, not characters: 128 of two bytes fill it. */
    int n = snprintf(text, sizeof(text), "%s ", ed25519_line());
    for (int i = 0; i < 128; i++)
        n += snprintf(text + n, 3, "\xc3\xa4");
    assert_null(pubkey_parse_file(text, (size_t)n, &key));
    n += snprintf(text + n, 3, "\xc3\xa4");
    CHECK_PROBLEM("129 of two bytes", pubkey_parse_file(text, (size_t)n, &key), "comment");
}

static void nul_and_length(void **state)
{
    char text[300];
    struct pubkey key;
    (void)state;
    int n = snprintf(text, sizeof(text), "%s c\n", ed25519_line());
    size_t len = (size_t)n;
    assert_null(pubkey_parse_file(text, len, &key));
    CHECK_PROBLEM("NUL after the end", pubkey_parse_file(text, len + 1, &key), "NUL");
    for (size_t i = 0; i < len; i += 7) {
        char saved = text[i];
        text[i] = '\0';
        CHECK_PROBLEM("NUL inside", pubkey_parse_file(text, len, &key), "NUL");
        text[i] = saved;
    }
    /* Only len bytes are read. */
    memset(text + len, 'x', sizeof(text) - len);
    assert_null(pubkey_parse_file(text, len, &key));
    assert_string_equal(key.comment, "c");
}

static void huge_lines(void **state)
{
    enum { MIB = 1 << 20 };
    static const char *const starts[] = {"ssh-ed25519 ", "", "ssh-ed25519 AAAA ", "# "};
    static const char *const problems[] = {"longer than any", "longer than any", "longer than any",
                                           "no public key"};
    char *text = malloc(MIB);
    struct pubkey key;
    (void)state;
    for (size_t i = 0; i < COUNT(starts); i++) {
        memset(text, 'A', MIB);
        memcpy(text, starts[i], strlen(starts[i]));
        CHECK_PROBLEM("1 MiB line", pubkey_parse_file(text, MIB, &key), problems[i]);
    }
    memset(text, '\n', MIB);
    CHECK_PROBLEM("1 MiB of line ends", pubkey_parse_file(text, MIB, &key), "no public key");
    text[MIB - 1] = '\0';
    memset(text, 'A', MIB - 1);
    CHECK_PROBLEM("1 MiB of base64", pubkey_parse(ED25519, text, &key), "larger than any");
    free(text);
}

/* ---- real keys ---- */

static void make_key(const char *type, const char *bits, const char *file)
{
    char *argv[] = {(char *)(uintptr_t) "ssh-keygen",
                    (char *)(uintptr_t) "-q",
                    (char *)(uintptr_t) "-N",
                    (char *)(uintptr_t) "",
                    (char *)(uintptr_t) "-C",
                    (char *)(uintptr_t) "li@laptop",
                    (char *)(uintptr_t) "-t",
                    (char *)(uintptr_t)type,
                    (char *)(uintptr_t) "-b",
                    (char *)(uintptr_t)bits,
                    (char *)(uintptr_t) "-f",
                    (char *)(uintptr_t)file,
                    NULL};
    assert_int_equal(run_command(argv, NULL, 0), 0);
}

/* The second word of `ssh-keygen -lf FILE`. */
static void fingerprint_of(const char *file, char out[128])
{
    char text[512];
    char *argv[] = {(char *)(uintptr_t) "ssh-keygen", (char *)(uintptr_t) "-lf",
                    (char *)(uintptr_t)file, NULL};
    assert_int_equal(run_command(argv, text, sizeof(text)), 0);
    assert_int_equal(sscanf(text, "%*s %127s", out), 1);
}

static void keys_of_ssh_keygen(void **state)
{
    static const struct {
        const char *what, *type, *bits, *ssh_type, *problem;
    } rows[] = {
        {"ed25519", "ed25519", "256", ED25519, NULL},
        {"ecdsa 256", "ecdsa", "256", P256, NULL},
        {"ecdsa 384", "ecdsa", "384", P384, NULL},
        {"ecdsa 521", "ecdsa", "521", P521, NULL},
        {"rsa 2048, smallest accepted", "rsa", "2048", "ssh-rsa", NULL},
        {"rsa 2056, top byte not filled", "rsa", "2056", "ssh-rsa", NULL},
        {"rsa 3072", "rsa", "3072", "ssh-rsa", NULL},
        {"rsa 1024", "rsa", "1024", "ssh-rsa", "shorter than 2048"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char fingerprint[128];
        struct pubkey key, again;
        size_t len;
        char *file = path_in(dir, rows[i].what), *public_file = NULL;
        assert_true(asprintf(&public_file, "%s.pub", file) > 0);
        make_key(rows[i].type, rows[i].bits, file);
        char *text = read_whole(public_file, &len);
        CHECK_PROBLEM(rows[i].what, pubkey_parse_file(text, len, &key), rows[i].problem);
        if (rows[i].problem == NULL) {
            fingerprint_of(public_file, fingerprint);
            CHECK_TEXT(rows[i].what, key.fingerprint, fingerprint);
            CHECK_TEXT(rows[i].what, key.type, rows[i].ssh_type);
            CHECK_TEXT(rows[i].what, key.comment, "li@laptop");
            CHECK_PROBLEM(rows[i].what, pubkey_parse(key.type, key.base64, &again), NULL);
            CHECK_TEXT(rows[i].what, again.fingerprint, fingerprint);
            CHECK_TEXT(rows[i].what, again.comment, "");
        }
        free(text);
        text = read_whole(file, &len);
        CHECK_PROBLEM("its private half", pubkey_parse_file(text, len, &key), "private key");
        free(text);
        free(file);
        free(public_file);
    }
}

static void security_key_fingerprint(void **state)
{
    static const struct part parts[BLOB_PARTS] = {
        {.text = SK_ED25519}, {.size = 32}, {.text = "ssh:"}};
    char text[512], fingerprint[128];
    struct pubkey key;
    char *file = path_in(dir, "sk.pub");
    (void)state;
    int n = snprintf(text, sizeof(text), "%s ", SK_ED25519);
    blob_base64(parts, 0, text + n, sizeof(text) - (size_t)n - 1);
    write_text(file, text);
    fingerprint_of(file, fingerprint);
    assert_null(pubkey_parse_file(text, strlen(text), &key));
    assert_string_equal(key.fingerprint, fingerprint);
    free(file);
}

static void certificate_and_two_keys(void **state)
{
    size_t len;
    struct pubkey key;
    char *file = path_in(dir, "user"), *public_file = path_in(dir, "user.pub");
    char *certificate = path_in(dir, "user-cert.pub");
    char *argv[] = {(char *)(uintptr_t) "ssh-keygen",
                    (char *)(uintptr_t) "-qs",
                    file,
                    (char *)(uintptr_t) "-I",
                    (char *)(uintptr_t) "id",
                    (char *)(uintptr_t) "-n",
                    (char *)(uintptr_t) "li",
                    public_file,
                    NULL};
    (void)state;
    make_key("ed25519", "256", file);
    assert_int_equal(run_command(argv, NULL, 0), 0);
    char *text = read_whole(certificate, &len);
    CHECK_PROBLEM("certificate", pubkey_parse_file(text, len, &key), "certificate");
    free(text);

    text = read_whole(public_file, &len);
    assert_null(pubkey_parse_file(text, len, &key));
    char *twice = malloc(2 * len);
    memcpy(twice, text, len);
    memcpy(twice + len, text, len);
    CHECK_PROBLEM("the same key twice", pubkey_parse_file(twice, 2 * len, &key), "more than one");
    free(twice);
    free(text);
    free(certificate);
    free(public_file);
    free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blobs),
        cmocka_unit_test(base64_spellings),
        cmocka_unit_test(base64_with_blank_inside),
        cmocka_unit_test(files),
        cmocka_unit_test(file_without_key),
        cmocka_unit_test(broken_lines),
        cmocka_unit_test(utf16),
        cmocka_unit_test(comment_length),
        cmocka_unit_test(nul_and_length),
        cmocka_unit_test(huge_lines),
        cmocka_unit_test(keys_of_ssh_keygen),
        cmocka_unit_test(security_key_fingerprint),
        cmocka_unit_test(certificate_and_two_keys),
    };
    return cmocka_run_group_tests_name("pubkey", tests, set_up, tear_down);
}
