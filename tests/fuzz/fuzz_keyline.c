/* SPDX-License-Identifier: ISC */
/*
 * Key lines: for every lease that the parsers accept, keyline_format makes one line that has
 * `restrict`, limits both directions, and has the permits of the lease and no others. The input is
 * words; the first letter of a word says what it is (o open, l listen, f from, n name, e end in
 * seconds, k a key of that length).
 */
#include "lib/base/buf.h"
#include "lib/lease/keyline.h"
#include "lib/lease/lease.h"

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/keyline_check.h"

#include <bsd/string.h>

static void add_permit(struct permit_list *list, const char *word)
{
    struct permit p;
    if (permit_parse(word, PERMIT_RANGE, &p) == NULL)
        (void)permit_list_add(list, &p);
}

/* A key of any length that the parser accepts; its content does not matter here. */
static void make_key(struct pubkey *key, unsigned long len)
{
    static const char *const types[] = {"ssh-ed25519", "sk-ecdsa-sha2-nistp256@openssh.com"};
    (void)strlcpy(key->type, types[len & 1], sizeof(key->type));
    len %= sizeof(key->base64);
    memset(key->base64, '/', len);
    key->base64[len] = '\0';
}

static void apply_word(struct lease *l, struct pubkey *key, const char *word)
{
    switch (*word != '\0' ? *word++ : '\0') {
    case 'o':
        add_permit(&l->open, word);
        break;
    case 'l':
        add_permit(&l->listen, word);
        break;
    case 'f':
        (void)source_list_parse(word, &l->from);
        break;
    case 'n':
        if (lease_name_problem(word) == NULL)
            (void)strlcpy(l->name, word, sizeof(l->name));
        break;
    case 'e':
        l->expires_s = strtoll(word, NULL, 10);
        break;
    case 'k':
        make_key(key, strtoul(word, NULL, 10));
        break;
    default:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size), *words = strdup(text), *rest = words;
    struct lease l = {.name = "alice", .login = "pfwd"};
    struct pubkey key = {.type = "ssh-ed25519", .base64 = "AAAAkey", .comment = "\"\n,"};
    struct buf out = {0};

    for (char *word; (word = strsep(&rest, " \n")) != NULL;)
        apply_word(&l, &key, word);
    keyline_format(&l, &key, &out);
    MUST(!out.failed, text);
    check_keyline(&l, &key, buf_text(&out), out.len, text);
    buf_release(&out);
    lease_release(&l);
    free(words);
    free(text);
    return 0;
}
