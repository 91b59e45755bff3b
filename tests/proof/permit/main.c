/* SPDX-License-Identifier: ISC */
#include "lib/lease/permit.h"

#include "tests/proof/any.h"

int main(void)
{
    struct permit p;
    //@ loop unroll LENGTHS;
    for (size_t i = 0; i < LENGTHS; i++) {
        if (permit_parse(any_text(i), (enum permit_form)Frama_C_interval(0, 2), &p) == NULL)
            reached(taken);
        else
            reached(refused);
    }
    return 0;
}
