/* SPDX-License-Identifier: ISC */
#include "lib/lease/duration.h"

#include "tests/proof/any.h"

int main(void)
{
    char text[DURATION_TEXT_BYTES];
    int64_t s;
    //@ widen_hints global:"all", 3153600000;
    //@ loop unroll LENGTHS;
    for (size_t i = 0; i < LENGTHS; i++) {
        if (duration_parse(any_text(i), &s) == 0)
            reached(taken);
        else
            reached(refused);
        duration_format(any_number(INT64_MIN, INT64_MAX), text);
    }
    return 0;
}
