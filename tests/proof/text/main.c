/* SPDX-License-Identifier: ISC */
#include "lib/base/text.h"

#include "tests/proof/any.h"

int main(void)
{
    char escaped[64];
    //@ widen_hints global:"all", 63, 157;
    //@ loop unroll LENGTHS;
    for (size_t i = 0; i < LENGTHS; i++) {
        const char *s = any_text(i);
        size_t bytes;
        if (text_char_is_printable(s, &bytes))
            reached(printable);
        if (text_escape(escaped, sizeof(escaped), s) > 0)
            reached(escaped);
        struct text_clip word = text_word(s);
        reached(word);
        (void)word;
        struct text_clip clip = text_clip(s);
        if (clip.s[0] != '\0')
            reached(clip);
    }
    return 0;
}
