/* SPDX-License-Identifier: ISC */
/*
 * attempt: makes one of the attempts of leasectl/probe/attempt.c, for tests/lib.sh.
 *   attempt NAME --key FILE --login LOGIN [--port N] [--set WORD=VALUE]...
 * Prints `verdict<TAB>evidence`. Exit status 0 allowed, 1 refused, 2 wrong usage, 3 anything else.
 * WORD: open, respelled, other, listen, free, socket. WORK (a directory) and its known_hosts come
 * from the environment.
 */
#include "leasectl/probe/attempt.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void set_word(struct attempt_target *t, const char *pair)
{
    const struct {
        const char *name;
        char *value;
        size_t bytes;
    } words[] = {{"open=", t->open, sizeof(t->open)},
                 {"respelled=", t->respelled, sizeof(t->respelled)},
                 {"other=", t->other, sizeof(t->other)},
                 {"listen=", t->listen, sizeof(t->listen)},
                 {"free=", t->free_port, sizeof(t->free_port)},
                 {"socket=", t->socket, sizeof(t->socket)}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t len = strlen(words[i].name);
        if (strncmp(pair, words[i].name, len) == 0) {
            (void)strlcpy(words[i].value, pair + len, words[i].bytes);
            return;
        }
    }
    errx(2, "no such word: %s", pair);
}

int main(int argc, char **argv)
{
    static struct attempt_target t = {.host = "127.0.0.1", .port = 22};
    static char known_hosts[256], evidence[ATTEMPT_EVIDENCE_BYTES];
    const char *problem = NULL;

    t.work_dir = getenv("WORK");
    if (argc < 2 || t.work_dir == NULL)
        errx(2,
             "usage: attempt NAME --key FILE --login LOGIN [--set WORD=VALUE]... (with WORK set)");
    (void)snprintf(known_hosts, sizeof(known_hosts), "%s/known_hosts", t.work_dir);
    t.known_hosts = known_hosts;
    int number = attempt_find(argv[1]);
    if (number < 0)
        errx(2, "no such attempt: %s", argv[1]);
    for (int i = 2; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--key") == 0)
            t.key_file = argv[i + 1];
        else if (strcmp(argv[i], "--login") == 0)
            t.login = argv[i + 1];
        else if (strcmp(argv[i], "--port") == 0)
            t.port = (uint16_t)strtonum(argv[i + 1], 1, 65535, &problem);
        else if (strcmp(argv[i], "--set") == 0)
            set_word(&t, argv[i + 1]);
        else
            errx(2, "no such option: %s", argv[i]);
    }
    if (t.key_file == NULL || t.login == NULL || problem != NULL)
        errx(2, "--key, --login or a good --port is missing");
    enum attempt_verdict v = attempt_make((size_t)number, &t, evidence);
    printf("%s\t%s\n", attempt_verdict_name(v), evidence);
    return v == ATTEMPT_ALLOWED ? 0 : v == ATTEMPT_REFUSED ? 1 : 3;
}
