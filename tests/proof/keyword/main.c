/* SPDX-License-Identifier: ISC */
#include "lib/base/keyword.c"

#include "tests/proof/any.h"

static int see(void *ctx, const struct keyword_line *line)
{
    (void)ctx;
    if (line->malformed != NULL)
        reached(refused);
    else
        reached(taken);
    return any_bool();
}

int main(void)
{
    //@ loop unroll LENGTHS;
    for (size_t i = 0; i < LENGTHS; i++) {
        /* parse_lines ends the last line with a NUL: there is room for one. */
        char *text = any_text(i);
        (void)parse_lines(text, any_length(i) + LIE, see, NULL);
    }
    return 0;
}
