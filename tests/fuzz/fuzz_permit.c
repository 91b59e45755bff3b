/* SPDX-License-Identifier: ISC */
/* Permits and lists of permits: each has one canonical text, which is parsed as the same again. */
#include "lib/base/buf.h"
#include "lib/lease/permit.h"
#include "lib/lease/permit_meant.h"

#include "tests/fuzz/fuzz.h"

#include <arpa/inet.h>
#include <bsd/string.h>

static void check_host(const char *host, const char *text)
{
    struct in6_addr v6;
    struct in_addr v4;
    size_t len = strlen(host);
    MUST(len > 0 && len < PERMIT_HOST_BYTES, text);
    if (strchr(host, ':') != NULL) {
        char canonical[INET6_ADDRSTRLEN];
        MUST(inet_pton(AF_INET6, host, &v6) == 1, text);
        MUST(strcmp(inet_ntop(AF_INET6, &v6, canonical, sizeof(canonical)), host) == 0, text);
        return;
    }
    MUST(strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.-_") == len, text);
    MUST(strcmp(host, "localhost") != 0, text);
    /* If inet_aton(3) reads it as an address, it is the canonical text of the address. */
    if (inet_aton(host, &v4) == 1)
        MUST(strcmp(inet_ntoa(v4), host) == 0, text);
}

static void check_ports(const struct permit *p, enum permit_form form, const char *text)
{
    MUST(p->low >= 1 && p->low <= p->high, text);
    MUST(form != PERMIT_PORT || p->low == p->high, text);
    MUST(form != PERMIT_RANGE || p->high - p->low < PERMIT_RANGE_PORTS, text);
}

static void check_canonical(const struct permit *p, enum permit_form form, const char *text)
{
    char once[PERMIT_TEXT_BYTES], twice[PERMIT_TEXT_BYTES], typed[PERMIT_TEXT_BYTES + 16];
    struct permit again;

    permit_format(p, once);
    MUST(memchr(once, '\0', sizeof(once)) != NULL && fuzz_is_plain(once), text);
    MUST(strpbrk(once, " \",\\") == NULL, text);
    MUST(permit_parse(once, form, &again) == NULL, text);
    MUST(permit_equal(p, &again) && permit_contains(p, &again) && permit_contains(&again, p), text);
    permit_format(&again, twice);
    MUST(strcmp(once, twice) == 0, text);

    if (!permit_is_loopback4(p))
        return;
    /* All ways to type this host give the same permit. */
    const char *ports = strrchr(once, ':') + 1;
    static const char *const spellings[] = {"", "localhost:", "LocalHost:", "127.0.0.1:"};
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(typed, sizeof(typed), "%s%s", spellings[i], ports);
        MUST(permit_parse(typed, form, &again) == NULL && permit_equal(p, &again), text);
    }
}

static void check_text(const char *text, enum permit_form form)
{
    struct permit p, canary;
    memset(&p, 0xa5, sizeof(p));
    canary = p;
    const char *problem = permit_parse(text, form, &p);
    if (problem != NULL) {
        MUST(*problem != '\0' && fuzz_is_plain(problem), text);
        MUST(memcmp(&p, &canary, sizeof(p)) == 0, text);
        return;
    }
    check_host(p.host, text);
    check_ports(&p, form, text);
    check_canonical(&p, form, text);
}

static void check_list(const struct permit_list *list, const char *text)
{
    struct permit_list again = {0};
    struct buf once = {0}, twice = {0};
    size_t ports = 0;

    MUST(list->count <= PERMIT_LIST_MAX, text);
    for (size_t i = 0; i < list->count; i++) {
        check_host(list->items[i].host, text);
        check_ports(&list->items[i], PERMIT_RANGE, text);
        ports += (size_t)(list->items[i].high - list->items[i].low) + 1;
        for (size_t k = 0; k < i; k++)
            MUST(!permit_equal(&list->items[i], &list->items[k]), text);
    }
    MUST(ports <= PERMIT_LIST_PORTS, text);
    permit_list_format(list, &once);
    MUST(permit_list_parse(buf_text(&once), &again) == 0, text);
    MUST(again.count == list->count, text);
    for (size_t i = 0; i < list->count; i++)
        MUST(permit_equal(&list->items[i], &again.items[i]), text);
    permit_list_format(&again, &twice);
    MUST(strcmp(buf_text(&once), buf_text(&twice)) == 0, text);
    buf_release(&once);
    buf_release(&twice);
    permit_list_release(&again);
}

/* A list as the store reads it, and one as the command line builds it of the same words. */
static void check_list_text(const char *text)
{
    struct permit_list read = {0}, built = {0};
    char *words = strdup(text), *rest = words;
    bool all = *text != '\0';

    for (char *word; (word = strsep(&rest, " ")) != NULL;) {
        struct permit p;
        all = permit_parse(word, PERMIT_RANGE, &p) == NULL && permit_list_add(&built, &p) == NULL &&
              all;
    }
    check_list(&built, text);
    int rc = permit_list_parse(text, &read);
    MUST((rc == 0) == (all || *text == '\0'), text);
    check_list(&read, text);
    permit_list_release(&read);
    permit_list_release(&built);
    free(words);
}

/* What is suggested for a text that is no permit is one, and the text itself never is. */
static void check_meant(const char *text)
{
    static const struct permit_place places[] = {
        {.form = PERMIT_RANGE, .before = "--open "},
        {.form = PERMIT_PORT, .listens = true, .before = "--listen +"},
        {.form = PERMIT_CEILING, .before = "AllowOpen "},
        {.form = PERMIT_PORT, .as_typed = true, .before = "--open "},
    };
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        const struct permit_place *place = &places[i];
        struct buf out = {0};
        struct permit p;
        char word[PERMIT_TEXT_BYTES];
        bool valid = permit_parse(text, place->form, &p) == NULL;
        bool known = permit_meant(text, place, &out);
        MUST(known == (out.len > 0) && fuzz_is_harmless(buf_text(&out)), text);
        MUST(!known || !valid || (place->form == PERMIT_CEILING && strchr(text, ':') == NULL),
             text);
        const char *at = known ? strstr(buf_text(&out), place->before) : NULL;
        for (; at != NULL; at = strstr(at, place->before)) {
            at += strlen(place->before);
            at += *at == '\'';
            (void)snprintf(word, sizeof(word), "%.*s", (int)strcspn(at, "', "), at);
            MUST(strstr(word, "PORT") != NULL || permit_parse(word, place->form, &p) == NULL, text);
        }
        buf_release(&out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    check_text(text, PERMIT_PORT);
    check_text(text, PERMIT_RANGE);
    check_text(text, PERMIT_CEILING);
    check_list_text(text);
    check_meant(text);
    free(text);
    return 0;
}
