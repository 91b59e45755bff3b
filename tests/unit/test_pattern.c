/* SPDX-License-Identifier: ISC */
/* sshd's patterns, as sshd compares them. (e2e/explain_oracle compares with a real sshd.) */
#include "leasectl/admission/pattern.h"

#include "tests/unit/helpers.h"

static void texts(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool is;
    } rows[] = {
        {"pfwd", "pfwd", true},   {"pfwd", "pfw", false},   {"pfwd", "pfwd2", false},
        {"PFWD", "pfwd", false},  {"p?wd", "pfwd", true},   {"p?wd", "pwd", false},
        {"*", "", true},          {"*", "pfwd", true},      {"p*d", "pfwd", true},
        {"p*d", "pd", true},      {"p*d", "pfwd2", false},  {"*a*b", "aab", true},
        {"*a*b", "aba", false},   {"a*b*c", "abxbc", true}, {"?", "", false},
        {"!pfwd", "pfwd", false}, {"!pfwd", "!pfwd", true}, {"a,b", "a", false},
        {"**", "x", true},        {"", "", true},           {"", "x", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK(rows[i].pattern, pattern_matches(rows[i].text, rows[i].pattern) == rows[i].is);
}

static void lists(void **state)
{
    static const struct {
        const char *list, *text;
        bool is;
    } rows[] = {
        {"ssh-ed25519,rsa-sha2-512", "rsa-sha2-512", true},
        {"ssh-ed25519,rsa-sha2-512", "rsa-sha2-256", false},
        {"ssh-*", "ssh-rsa", true},
        {"ssh-*,!ssh-rsa", "ssh-rsa", false},
        {"!ssh-rsa,ssh-*", "ssh-rsa", false},
        {"!ssh-rsa,ssh-*", "ssh-ed25519", true},
        {"!ssh-rsa", "ssh-ed25519", false},
        {"", "ssh-rsa", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK(rows[i].list, pattern_list_matches(rows[i].text, rows[i].list) == rows[i].is);
}

static void users(void **state)
{
    static const struct {
        const char *word, *addr;
        enum sight sight;
    } rows[] = {
        {"pfwd", NULL, SIGHT_IS},
        {"li", NULL, SIGHT_IS_NOT},
        {"pfwd@*", NULL, SIGHT_IS},
        {"pfwd@192.0.2.0/24", NULL, SIGHT_CANNOT_TELL},
        {"li@192.0.2.0/24", NULL, SIGHT_IS_NOT},
        {"pfwd@192.0.2.0/24", "192.0.2.9", SIGHT_IS},
        {"pfwd@192.0.2.0/24", "192.0.3.9", SIGHT_IS_NOT},
        {"pfwd@192.0.2.*", "192.0.2.9", SIGHT_IS},
        {"pfwd@!192.0.2.9", "192.0.2.8", SIGHT_IS_NOT},
        {"pfwd@*,!192.0.2.9", "192.0.2.9", SIGHT_IS_NOT},
        {"pfwd@*,!192.0.2.9", "192.0.2.8", SIGHT_IS},
        {"pfwd@!192.0.2.9,*", "192.0.2.9", SIGHT_IS_NOT},
        {"pfwd@*,!192.0.2.9", NULL, SIGHT_CANNOT_TELL},
        {"pfwd@!192.0.2.9", NULL, SIGHT_IS_NOT},
        {"p*@192.0.2.1,2001:db8::/32", "2001:db8::5", SIGHT_IS},
        {"pfwd@fe80::%eth0/64", "fe80::1%eth0", SIGHT_IS},
        {"pfwd@fe80::/10", "fe80::1%eth0", SIGHT_IS_NOT},
        {"pfwd@gw.example.com", "192.0.2.9", SIGHT_IS_NOT},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct pattern_client client = {rows[i].addr, false};
        CHECK(rows[i].word, pattern_user_matches("pfwd", &client, rows[i].word) == rows[i].sight);
    }
    const struct pattern_client named = {"192.0.2.9", true};
    CHECK("a name, with UseDNS",
          pattern_user_matches("pfwd", &named, "pfwd@gw.example.com") == SIGHT_CANNOT_TELL);
    CHECK("an address, with UseDNS",
          pattern_user_matches("pfwd", &named, "pfwd@192.0.3.1") == SIGHT_IS_NOT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),
        cmocka_unit_test(lists),
        cmocka_unit_test(users),
    };
    return cmocka_run_group_tests_name("pattern", tests, NULL, NULL);
}
