/* SPDX-License-Identifier: ISC */
#include "lib/lease/source.h"

#include "tests/proof/any.h"

int main(void)
{
    struct source_list list;
    //@ loop unroll LENGTHS;
    for (size_t i = 0; i < LENGTHS; i++) {
        if (source_list_parse(any_text(i), &list) == NULL)
            reached(taken);
        else
            reached(refused);
    }
    return 0;
}
