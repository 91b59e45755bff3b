/* SPDX-License-Identifier: ISC */
#include "lib/lease/authorized/dead.h"

#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/lease/authorized/key.h"
#include "lib/lease/authorized/split.h"
#include "lib/lease/pubkey_form.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

void authorized_dead(struct authorized_line *l, enum authorized_death death, const char *cure,
                     const char *reason, ...)
{
    char text[2 * AUTHORIZED_REASON_BYTES];
    va_list args;
    va_start(args, reason);
    (void)vsnprintf(text, sizeof(text), reason, args);
    va_end(args);
    (void)text_escape(l->reason, sizeof(l->reason), text);
    l->kind = AUTHORIZED_DEAD;
    l->death = death;
    l->cure = cure;
}

/* ---- what else a line may be ---- */

static size_t word_bytes(const char *s)
{
    return strcspn(s, " \t");
}

static const char *next_word(const char *s)
{
    s += word_bytes(s);
    return s + strspn(s, " \t");
}

/* `BITS EXPONENT MODULUS`, of SSH 1; options may stand before it. */
static bool is_protocol_1(const char *s)
{
    for (int i = 0; i < 3; i++) {
        size_t digits = strspn(s, "0123456789");
        if (digits == 0 || (digits != word_bytes(s) && i < 2))
            return false;
        s = next_word(s);
    }
    return true;
}

/* A key that stands behind further words: so a blank is among the options. */
static bool has_later_key(const char *s)
{
    struct authorized_key key;
    for (s = next_word(s); *s != '\0'; s = next_word(s)) {
        const char *at = s;
        if (authorized_key_read(&at, &key) == AUTHORIZED_KEY_OK)
            return true;
    }
    return false;
}

static bool has_other_quotes(const char *s)
{
    static const char *const quotes[] = {
        "='",       "=`", "=\xe2\x80\x9c", "=\xe2\x80\x9d", "=\xe2\x80\x9e", "=\xe2\x80\x98",
        "=\xc2\xab"};
    for (size_t i = 0; i < sizeof(quotes) / sizeof(quotes[0]); i++)
        if (strstr(s, quotes[i]) != NULL)
            return true;
    return false;
}

/* What the text at s, where sshd looks for a key, is instead; false: nothing that is known. */
static bool die_of_other_key(struct authorized_line *l, const char *s)
{
    struct authorized_key key;
    const char *at = s;
    switch (authorized_key_read(&at, &key)) {
    case AUTHORIZED_KEY_DSA:
        authorized_dead(l, AUTHORIZED_DSA, "ask for a key made with 'ssh-keygen -t ed25519'",
                        "a DSA key, which OpenSSH does not take since 7.0");
        return true;
    case AUTHORIZED_KEY_CERTIFICATE:
        authorized_dead(l, AUTHORIZED_CERTIFICATE,
                        "put the plain key here, or its authority with cert-authority",
                        "a certificate stands in place of a key, and admits nobody");
        return true;
    case AUTHORIZED_KEY_DAMAGED:
        authorized_dead(l, AUTHORIZED_DAMAGED, "copy the whole line of the .pub file",
                        "the key is damaged: %s", key.damage);
        return true;
    case AUTHORIZED_KEY_NONE:
    case AUTHORIZED_KEY_OK:
    case AUTHORIZED_KEY_MEMORY:
        break;
    }
    if (!is_protocol_1(s))
        return false;
    authorized_dead(l, AUTHORIZED_PROTOCOL_1, "ask for a key made with 'ssh-keygen -t ed25519'",
                    "a key of protocol 1, which OpenSSH does not know since 7.6");
    return true;
}

void authorized_dead_without_key(struct authorized_line *l, const char *text)
{
    if (die_of_other_key(l, text))
        return;
    const char *end = authorized_options_end(text);
    if (end == NULL) {
        authorized_dead(l, AUTHORIZED_QUOTES, "close the quote", "a quote is not closed");
        return;
    }
    if (end != text && die_of_other_key(l, end + strspn(end, " \t")))
        return;
    if (has_other_quotes(text)) {
        authorized_dead(l, AUTHORIZED_QUOTES, "put the values into double quotes",
                        "a value stands in other quotes than \"");
        return;
    }
    if (has_later_key(end)) {
        authorized_dead(l, AUTHORIZED_BLANK_WITHIN, "take the blanks out of the options",
                        "a blank stands among the options, where they end for sshd");
        return;
    }
    const char *form = pubkey_form_other(text, strlen(text), text, strlen(text));
    authorized_dead(l, AUTHORIZED_NO_KEY, form, "sshd finds no key in it");
}
