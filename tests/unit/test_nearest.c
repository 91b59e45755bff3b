/* SPDX-License-Identifier: ISC */
/* Which word was meant: each distance that counts as near, next to the first that does not. */
#include "lib/base/nearest.h"

#include "lib/base/buf.h"

#include "tests/unit/helpers.h"

#define W32 "abcdefghijklmnopqrstuvwxyz012345"

static const struct row {
    const char *what, *typed;
    const char *words[6];
    const char *question;
} rows[] = {
    {"two letters exchanged", "grnat", {"list", "grant", "set"}, " (did you mean 'grant'?)"},
    {"a letter missing", "crate", {"list", "create"}, " (did you mean 'create'?)"},
    {"a letter too many", "listt", {"list"}, " (did you mean 'list'?)"},
    {"another letter", "lost", {"list"}, " (did you mean 'list'?)"},
    {"upper case", "REVOKE", {"revoke"}, " (did you mean 'revoke'?)"},
    {"its beginning", "sess", {"set", "sessions"}, " (did you mean 'sessions'?)"},
    {"its beginning, too short", "s", {"set", "sessions"}, ""},
    {"the nearer one alone", "agnet", {"agents", "agent"}, " (did you mean 'agent'?)"},
    {"the nearer one first", "agnet", {"agent", "agents"}, " (did you mean 'agent'?)"},
    {"two that are as near", "agen", {"agent", "agents"}, " (did you mean 'agent' or 'agents'?)"},
    {"three", "ba", {"bad", "bat", "bar"}, " (did you mean 'bad', 'bat' or 'bar'?)"},
    {"a fourth is left out",
     "ba",
     {"bad", "bat", "bar", "bay"},
     " (did you mean 'bad', 'bat' or 'bar'?)"},
    {"3 letters: one mistake", "sit", {"set"}, " (did you mean 'set'?)"},
    {"3 letters: two exchanged", "ste", {"set"}, " (did you mean 'set'?)"},
    {"3 letters: two mistakes", "sic", {"set"}, ""},
    {"7 letters: two mistakes", "explxxn", {"explain"}, " (did you mean 'explain'?)"},
    {"7 letters: three mistakes", "expxxxn", {"explain"}, ""},
    {"8 letters: three mistakes", "sessxxxs", {"sessions"}, " (did you mean 'sessions'?)"},
    {"8 letters: four mistakes", "sesxxxxs", {"sessions"}, ""},
    {"32 letters", W32, {W32 "6", W32}, " (did you mean '" W32 "'?)"},
    {"33 letters", W32 "6", {W32 "6", W32}, ""},
    {"offered twice", "jsno", {"json", "list", "json"}, " (did you mean 'json'?)"},
    {"nothing alike", "frobnicate", {"grant", "list", "revoke"}, ""},
    {"nothing typed", "", {"a", "set"}, ""},
    {"no words", "grnat", {NULL}, ""},
};

static void questions(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out = {0};
        struct nearest n;
        nearest_init(&n, rows[i].typed);
        for (size_t k = 0; k < COUNT(rows[i].words) && rows[i].words[k] != NULL; k++)
            nearest_offer(&n, rows[i].words[k]);
        nearest_add_question(&n, "", &out);
        CHECK_TEXT(rows[i].what, buf_text(&out), rows[i].question);
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(questions)};
    return cmocka_run_group_tests_name("nearest", tests, NULL, NULL);
}
