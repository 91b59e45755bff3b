/* SPDX-License-Identifier: ISC */
/* Registry entries: one that is accepted names one process of one login that is not root, and is
 * written as it was read. */
#include "lib/session/entry.h"

#include "tests/fuzz/fuzz.h"

static bool is_word(const char *s)
{
    return fuzz_is_plain(s) && strchr(s, ' ') == NULL;
}

static bool same_text(const char *a, const char *b)
{
    return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

static void check_entry(const struct session *s, const char *text)
{
    char once[REGISTRY_ENTRY_BYTES], twice[REGISTRY_ENTRY_BYTES];
    struct session again;

    MUST(s->pid >= 1 && s->pid <= 1 << 22, text);
    MUST(s->uid != 0 && s->uid != (uid_t)-1, text);
    MUST(s->open == (s->lease_id != 0) && s->since_s >= 0, text);
    MUST(s->login[0] != '\0' && s->fingerprint[0] != '\0' && s->orphan == 0, text);
    MUST(is_word(s->login) && is_word(s->fingerprint) && is_word(s->lease), text);
    MUST(is_word(s->source), text);

    size_t len = entry_format(s, once);
    MUST(len > 0 && len < sizeof(once) && once[len] == '\0', text);
    MUST(entry_parse(once, len, &again) == 0, text);
    MUST(again.pid == s->pid && again.start_ticks == s->start_ticks, text);
    MUST(again.open == s->open && again.lease_id == s->lease_id && again.uid == s->uid, text);
    MUST(again.opens == NULL || same_text(again.opens, s->opens), text);
    MUST(again.listens == NULL || same_text(again.listens, s->listens), text);
    MUST(entry_format(&again, twice) == len && memcmp(once, twice, len) == 0, text);
    session_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size), *exact = fuzz_exact(data, size);
    struct session s, canary;

    memset(&s, 0xa5, sizeof(s));
    canary = s;
    if (entry_parse(exact, size, &s) != 0) {
        MUST(memcmp(&s, &canary, sizeof(s)) == 0, text);
    } else {
        MUST(strlen(text) == size && text[size - 1] == '\n', text);
        check_entry(&s, text);
        session_release(&s);
    }
    free(exact);
    free(text);
    return 0;
}
