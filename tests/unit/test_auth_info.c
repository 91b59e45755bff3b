/* SPDX-License-Identifier: ISC */
/* SSH_AUTH_INFO_0: the line of one plain key is accepted, anything else is not. */
#include "lib/session/auth_info.h"

#include "lib/lease/pubkey.h"

#include "tests/unit/helpers.h"
#include "tests/unit/store_helpers.h"

#define BLOB "AAAAC3NzaC1lZDI1NTE5AAAAIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH"
#define LINE "publickey ssh-ed25519 " BLOB "\n"

static void one_key(void **state)
{
    struct auth_info info;
    struct pubkey key = key_number(7); /* the same key, by lib/lease */
    (void)state;
    CHECK_PROBLEM("a plain key", auth_info_parse(LINE, &info), NULL);
    CHECK_TEXT("type", info.key_type, "ssh-ed25519");
    CHECK_TEXT("base64", info.key_base64, key.base64);
    CHECK_TEXT("fingerprint", info.fingerprint, key.fingerprint);
}

static void lines(void **state)
{
    static const struct {
        const char *what, *text, *problem;
    } rows[] = {
        {"no such variable", NULL, "does not say"},
        {"empty, as in the account stage", "", "does not say"},
        {"a line feed alone", "\n", "another method"},
        {"password", "password\n", "another method"},
        {"keyboard-interactive", "keyboard-interactive/pam\n", "another method"},
        {"hostbased", "hostbased ssh-ed25519 " BLOB "\n", "another method"},
        {"a password first", "password\n" LINE, "another method"},
        {"publickeys", "publickeys ssh-ed25519 " BLOB "\n", "another method"},
        {"PUBLICKEY", "PUBLICKEY ssh-ed25519 " BLOB "\n", "another method"},
        {"a blank first", " " LINE, "another method"},
        {"a tab after the method", "publickey\tssh-ed25519 " BLOB "\n", "another method"},
        {"a submethod", "publickey/x ssh-ed25519 " BLOB "\n", "another method"},
        {"no line feed", "publickey ssh-ed25519 " BLOB, "no end"},
        {"the method alone", "publickey ", "no end"},
        {"two keys", LINE LINE, "several"},
        {"a password after it", LINE "password\n", "several"},
        {"an empty line after it", LINE "\n", "several"},
        {"a character after it", LINE "x", "several"},
        {"no type and no key", "publickey \n", "malformed"},
        {"no key", "publickey ssh-ed25519\n", "malformed"},
        {"an empty key", "publickey ssh-ed25519 \n", "base64"},
        {"an empty type", "publickey  " BLOB "\n", "malformed"},
        {"two blanks before the key", "publickey ssh-ed25519  " BLOB "\n", "base64"},
        {"a comment", "publickey ssh-ed25519 " BLOB " c\n", "base64"},
        {"a carriage return", "publickey ssh-ed25519 " BLOB "\r\n", "base64"},
        {"bad base64", "publickey ssh-ed25519 AAAA!AAA\n", "base64"},
        {"base64 cut off", "publickey ssh-ed25519 AAAAC\n", "base64"},
        {"another spelling of the same bytes", "publickey ssh-ed25519 AAAAC3Nza1==\n", "base64"},
        {"a control character in the type", "publickey ssh\033[2J " BLOB "\n", "malformed"},
        {"a byte past ASCII in the type", "publickey ssh-\xc3\xa9 " BLOB "\n", "malformed"},
        {"a certificate", "publickey ssh-ed25519-cert-v01@openssh.com " BLOB "\n", "certificate"},
        {"an RSA certificate", "publickey ssh-rsa-cert-v00@openssh.com " BLOB "\n", "certificate"},
        {"a security key", "publickey sk-ssh-ed25519@openssh.com " BLOB "\n", NULL},
        {"a type of 47", "publickey 45678901234567890123456789012345678901234567890 AAAA\n", NULL},
        {"a type of 48", "publickey 456789012345678901234567890123456789012345678901 AAAA\n",
         "too long"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct auth_info info, canary;
        memset(&canary, 0xa5, sizeof(canary));
        info = canary;
        CHECK_PROBLEM(rows[i].what, auth_info_parse(rows[i].text, &info), rows[i].problem);
        CHECK(rows[i].what, rows[i].problem == NULL || memcmp(&info, &canary, sizeof(info)) == 0);
    }
}

/* Makes `publickey ssh-rsa `, so many digits, and end. */
static char *line_of(size_t digits, const char *end)
{
    static const char head[] = "publickey ssh-rsa ";
    char *text = malloc(sizeof(head) + digits + strlen(end));
    memcpy(text, head, sizeof(head) - 1);
    memset(text + sizeof(head) - 1, 'A', digits);
    strcpy(text + sizeof(head) - 1 + digits, end); /* made to fit above */
    return text;
}

static void sizes(void **state)
{
    static const struct {
        const char *what;
        size_t digits;
        const char *end, *problem;
    } rows[] = {
        {"the largest key", AUTH_KEY_BASE64_BYTES - 1, "\n", NULL},
        {"one group more", AUTH_KEY_BASE64_BYTES + 3, "\n", "too long"},
        {"10 MB", 10 << 20, "\n", "too long"},
        {"10 MB without an end", 10 << 20, "", "too long"},
    };
    struct auth_info info;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text = line_of(rows[i].digits, rows[i].end);
        CHECK_PROBLEM(rows[i].what, auth_info_parse(text, &info), rows[i].problem);
        free(text);
    }
    char *many = calloc(1000, sizeof(LINE));
    for (size_t i = 0; i < 1000; i++)
        memcpy(many + i * (sizeof(LINE) - 1), LINE, sizeof(LINE));
    CHECK_PROBLEM("1000 lines", auth_info_parse(many, &info), "several");
    free(many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_key),
        cmocka_unit_test(lines),
        cmocka_unit_test(sizes),
    };
    return cmocka_run_group_tests_name("auth_info", tests, NULL, NULL);
}
