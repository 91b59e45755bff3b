/* SPDX-License-Identifier: ISC */
/*
 * What join reads: a client's command, a line of its input, and an answer of leased. Of a client
 * nothing but letters, digits and hyphens is passed on.
 */
#include "join/command.h"
#include "join/http_answer.h"

#include "tests/fuzz/fuzz.h"

static const char code_characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                      "0123456789-";

static void check_command(const char *text)
{
    struct command c, canary;
    char again[JOIN_CODE_MAX + 16];
    memset(&c, 0xa5, sizeof(c));
    canary = c;
    const char *problem = command_parse(text, &c);
    if (problem != NULL) {
        MUST(*problem != '\0' && fuzz_is_plain(problem), text);
        MUST(memcmp(&c, &canary, sizeof(c)) == 0, text);
        return;
    }
    MUST(strlen(text) <= JOIN_CODE_MAX && strlen(c.code) <= strlen(text) + 1, text);
    MUST(strspn(c.code, code_characters) == strlen(c.code), text);
    MUST(strcmp(c.code, "-") == 0 || strstr(text, c.code) != NULL, text);
    MUST(c.json == (strstr(text, "--json") != NULL) || !c.json, text);
    /* What was read, written again, is read as the same. */
    int len = snprintf(again, sizeof(again), "%s%s", c.code, c.json ? " --json" : "");
    if (len <= JOIN_CODE_MAX) {
        struct command same;
        MUST(command_parse(again, &same) == NULL, text);
        MUST(strcmp(same.code, c.code) == 0 && same.json == c.json, text);
    }
}

static void check_line(const char *line, size_t len, const char *text)
{
    char code[JOIN_CODE_MAX + 1] = "before";
    if (command_parse_line(line, len, code) != NULL)
        MUST(strcmp(code, "before") == 0, text);
    else
        MUST(code[0] != '\0' && strspn(code, code_characters) == strlen(code), text);
}

static void check_answer(const char *answer, size_t size, const char *text)
{
    const char *body = NULL;
    size_t len = 0;
    unsigned status = http_answer_parse(answer, size, &body, &len);
    MUST((status == 0) == (body == NULL), text);
    if (status == 0)
        return;
    MUST(status >= 100 && status <= 599, text);
    MUST(body + len == answer + size && memcmp(body - 4, "\r\n\r\n", 4) == 0, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    char *exact = fuzz_exact(data, size);
    check_command(text);
    check_line(exact, size, text);
    check_answer(exact, size, text);
    free(exact);
    free(text);
    return 0;
}
