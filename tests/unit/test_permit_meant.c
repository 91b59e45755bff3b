/* SPDX-License-Identifier: ISC */
/* What was meant by a text that is no permit: each form, next to one that is not it. */
#include "lib/lease/permit_meant.h"

#include "lib/base/buf.h"

#include "tests/unit/helpers.h"

enum place { GRANT, SET, LISTEN, CEILING, EXPLAIN, EXPLAIN_LISTEN };

static const struct permit_place places[] = {
    [GRANT] = {.form = PERMIT_RANGE, .before = "--open "},
    [SET] = {.form = PERMIT_RANGE, .before = "--open +"},
    [LISTEN] = {.form = PERMIT_PORT, .listens = true, .before = "--listen "},
    [CEILING] = {.form = PERMIT_CEILING, .before = "AllowOpen "},
    [EXPLAIN] = {.form = PERMIT_PORT, .as_typed = true, .before = "--open "},
    [EXPLAIN_LISTEN] = {.form = PERMIT_PORT,
                        .listens = true,
                        .as_typed = true,
                        .before = "--listen "},
};

#define LAST_END "is all of ssh's -L, and the permit is its last end: write "
#define FIRST_END "is all of ssh's -R, and the permit is its first end: write "
#define EACH "names several: write each for itself, "
#define NO_BRACKETS "has an IPv6 address without its brackets: write "
#define SOCKET                                                                                     \
    "is the path of a socket, and a lease is for TCP ports: let the service listen on one, and "   \
    "write its HOST:PORT"

static const struct row {
    const char *text;
    enum place place;
    const char *meant; /* NULL: not known */
} rows[] = {
    {"8009", GRANT, NULL},
    {"127.0.0.1:8009", GRANT, NULL},
    {"127.0.0.1:8009", CEILING, NULL},
    {"127.0.0.1:*", CEILING, NULL},
    {"nonsense!", GRANT, NULL},
    {"", GRANT, NULL},
    {"70000", GRANT, NULL},
    {"127.1:80", GRANT, NULL},
    {"2130706433:80", GRANT, NULL},

    {"8009:127.0.0.1:8009", GRANT, LAST_END "--open 127.0.0.1:8009"},
    {"8009:localhost:80", SET, LAST_END "--open +127.0.0.1:80"},
    {"8009:[::1]:80", GRANT, LAST_END "--open '[::1]:80'"},
    {"[::1]:8009:db1:80", GRANT, LAST_END "--open db1:80"},
    {"*:8009:db1:80", GRANT, LAST_END "--open db1:80"},
    {":8009:db1:80", GRANT, LAST_END "--open db1:80"},
    {"127.0.0.1:8009:db1:80", EXPLAIN, LAST_END "--open db1:80"},
    {"-L 8009:127.0.0.1:8010", GRANT, LAST_END "--open 127.0.0.1:8010"},
    {"-L8009:127.0.0.1:8010", CEILING, LAST_END "AllowOpen 127.0.0.1:8010"},
    {"8009:127.1:80", GRANT, LAST_END "--open HOST:PORT"},
    {"8009::80", GRANT,
     "is an IPv6 address without brackets and port: write --open [8009::80]:PORT"},
    {"x:127.0.0.1:80", GRANT, NULL},
    {"8009:db1:0", GRANT, NULL},
    {"1:2:3:4:5", GRANT, NULL},
    {"20001:127.0.0.1:22", LISTEN, FIRST_END "--listen 127.0.0.1:20001"},
    {"10.0.0.1:20001:127.0.0.1:22", LISTEN, FIRST_END "--listen 10.0.0.1:20001"},
    {"[::1]:20001:db1:22", LISTEN, FIRST_END "--listen '[::1]:20001'"},
    {"*:20001:127.0.0.1:22", LISTEN, FIRST_END "--listen HOST:PORT"},
    {"20001:127.0.0.1:22", EXPLAIN_LISTEN, FIRST_END "--listen 127.0.0.1:20001"},

    {"http://127.0.0.1:8009/", GRANT, "is a URL: write --open 127.0.0.1:8009"},
    {"http://127.0.0.1:8009/", SET, "is a URL: write --open +127.0.0.1:8009"},
    {"http://127.0.0.1:8009/", CEILING, "is a URL: write AllowOpen 127.0.0.1:8009"},
    {"http://127.0.0.1:8009/", EXPLAIN, "is a URL: write --open 127.0.0.1:8009"},
    {"https://Wiki.Example/a:b?c=d#e", GRANT, "is a URL: write --open wiki.example:443"},
    {"http://[::1]:80/x", GRANT, "is a URL: write --open '[::1]:80'"},
    {"http://[::1]/", GRANT, "is a URL: write --open '[::1]:80'"},
    {"postgres://li:secret@db1/x", GRANT, "is a URL: write --open db1:5432"},
    {"ssh://li@db1:2222", GRANT, "is a URL: write --open db1:2222"},
    {"gopher://db1/", GRANT, "is a URL: write its HOST:PORT"},
    {"http://", GRANT, "is a URL: write its HOST:PORT"},
    {"http://127.1:80/", GRANT, "is a URL: write its HOST:PORT"},
    {"127.0.0.1:8009/", GRANT, "is more than HOST:PORT: write --open 127.0.0.1:8009"},
    {"8009/tcp", GRANT, "is more than HOST:PORT: write --open 127.0.0.1:8009"},
    {"127.0.0.1/80", GRANT, NULL},
    {"10.0.0.0/8:80", GRANT, NULL},

    {"8009,8010", GRANT, EACH "--open 127.0.0.1:8009 --open 127.0.0.1:8010"},
    {"8009, 8010", GRANT, EACH "--open 127.0.0.1:8009 --open 127.0.0.1:8010"},
    {"8009 8010", GRANT, EACH "--open 127.0.0.1:8009 --open 127.0.0.1:8010"},
    {"8009,8020-8029;[::1]:1", GRANT,
     EACH "--open 127.0.0.1:8009 --open 127.0.0.1:8020-8029 --open '[::1]:1'"},
    {"8009,8010", SET, EACH "--open +127.0.0.1:8009 --open +127.0.0.1:8010"},
    {"8009,+8010", SET, EACH "--open +127.0.0.1:8009 --open +127.0.0.1:8010"},
    {"8009,-8010", SET, "names several: write each for itself, as --open +HOST:PORT"},
    {"127.0.0.1:8009,8010", GRANT, EACH "--open 127.0.0.1:8009 --open 127.0.0.1:8010"},
    {"db1:80,db2:81", GRANT, EACH "--open db1:80 --open db2:81"},
    /* 81 of db1, or of 127.0.0.1? */
    {"db1:80,81", GRANT, "names several: write each for itself, as --open HOST:PORT"},
    {"8009,x", GRANT, "names several: write each for itself, as --open HOST:PORT"},
    {"a:1 b:*", CEILING, EACH "AllowOpen a:1 and AllowOpen b:*"},
    {"20001,20002", LISTEN, EACH "--listen 127.0.0.1:20001 --listen 127.0.0.1:20002"},
    {"8009,8010", EXPLAIN, "names several: ask for one at a time, as --open HOST:PORT"},

    {"/run/app.sock", GRANT, SOCKET},
    {"./app.sock", GRANT, SOCKET},
    {"~/app.sock", GRANT, SOCKET},
    {"unix:/run/app.sock", GRANT, SOCKET},
    {"8009:/run/app.sock", GRANT, SOCKET},
    {"/run/app.sock", EXPLAIN, SOCKET},
    {"unix:///run/app.sock", GRANT,
     "is the path of a file or socket, and a lease is for TCP ports: let the service listen on "
     "one, and write its HOST:PORT"},

    {"127.0.0.1", GRANT, "names no port: write --open 127.0.0.1:PORT"},
    {"127.0.0.1:", GRANT, "names no port: write --open 127.0.0.1:PORT"},
    {"localhost", SET, "names no port: write --open +localhost:PORT"},
    {"db1.example.com", EXPLAIN, "names no port: write --open db1.example.com:PORT"},
    {"[::1]", GRANT, "names no port: write --open [::1]:PORT"},
    {"ssh", GRANT, "names no port: write --open HOST:PORT, the port as a number"},
    {"127.0.0.1:http", GRANT,
     "names a service, where its number is meant: write --open 127.0.0.1:80"},
    {"127.0.0.1:http", EXPLAIN, NULL},

    {":8009", GRANT, "names no host: write --open 127.0.0.1:8009"},
    {":8009", EXPLAIN, NULL},
    {":20001", EXPLAIN_LISTEN, NULL},
    {":", GRANT, NULL},
    {"8009", CEILING, "names no host: write AllowOpen 127.0.0.1:8009"},
    {"*", CEILING, "names no host: write AllowOpen 127.0.0.1:*"},
    {"*:8009", GRANT, "names every host, and a permit is for one: write --open 127.0.0.1:8009"},
    {"*:*", CEILING, "names every host, and a ceiling is for one: write AllowOpen 127.0.0.1:*"},
    {"*:20001", EXPLAIN_LISTEN, NULL},

    {"::1:8009", GRANT, NO_BRACKETS "--open '[::1]:8009', if 8009 is the port"},
    {"2001:db8::1:20001", GRANT, NO_BRACKETS "--open '[2001:db8::1]:20001'"},
    {"1:2:3:4:5:6:7:8:80", GRANT, NO_BRACKETS "--open '[1:2:3:4:5:6:7:8]:80'"},
    {"::1:8009", CEILING, NO_BRACKETS "AllowOpen [::1]:8009, if 8009 is the port"},
    {"::1:8009", EXPLAIN, NO_BRACKETS "--open '[::1]:8009', if 8009 is the port"},
    {"::1", GRANT, "is an IPv6 address without brackets and port: write --open [::1]:PORT"},
    {"fe80::a:b", GRANT,
     "is an IPv6 address without brackets and port: write --open [fe80::a:b]:PORT"},
    {"fe80::1%eth0:22", EXPLAIN, NULL},
    {"[127.0.0.1]:80", GRANT, "is spelled otherwise: write --open 127.0.0.1:80"},
    {"[127.0.0.1]:80", EXPLAIN, NULL},

    {"8020-8009", GRANT, "ends before it begins: write --open 127.0.0.1:8009-8020"},
    {"db1:81-80", SET, "ends before it begins: write --open +db1:80-81"},
    {"a-b:81-80", CEILING, "ends before it begins: write AllowOpen a-b:80-81"},
    {"20002-20001", LISTEN, NULL},
    {"8009 - 8020", GRANT, "has blanks in it: write --open 127.0.0.1:8009-8020"},
    {" 127.0.0.1 : 80 ", GRANT, "has blanks in it: write --open 127.0.0.1:80"},
    {"080", GRANT, "is spelled otherwise: write --open 127.0.0.1:80"},
    {"+8009", GRANT, "is spelled otherwise: write --open 127.0.0.1:8009"},
    {"db1.:80", GRANT, "is spelled otherwise: write --open db1:80"},
    {"li@db1:80", GRANT, "names a user, whom a permit does not have: write --open db1:80"},
};

static void meanings(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out = {0};
        buf_add(&out, "|");
        bool known = permit_meant(rows[i].text, &places[rows[i].place], &out);
        CHECK(rows[i].text, known == (rows[i].meant != NULL));
        CHECK_TEXT(rows[i].text, buf_text(&out) + 1, known ? rows[i].meant : "");
        buf_release(&out);
    }
}

static void long_texts(void **state)
{
    char text[4096];
    (void)state;
    for (size_t len = 200; len < sizeof(text); len = len * 5 / 4) {
        static const char *const patterns[] = {"1,", "a", "1:", "[", " ", "/", "*:", "8009:a:"};
        for (size_t i = 0; i < COUNT(patterns); i++) {
            struct buf out = {0};
            size_t n = strlen(patterns[i]);
            for (size_t k = 0; k < len; k++)
                text[k] = patterns[i][k % n];
            text[len] = '\0';
            (void)permit_meant(text, &places[GRANT], &out); /* for the sanitizers */
            buf_release(&out);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(meanings), cmocka_unit_test(long_texts)};
    return cmocka_run_group_tests_name("permit_meant", tests, NULL, NULL);
}
