/* SPDX-License-Identifier: ISC */
#include "lib/lease/ssh_string.h"

#include "tests/proof/any.h"

int main(void)
{
    //@ loop unroll LENGTHS;
    for (size_t i = 0; i < LENGTHS; i++) {
        struct ssh_span bytes = {(const uint8_t *)any_bytes(i), any_length(i) + LIE}, string;
        if (i <= SHORT_BYTES && ssh_number_bits(&bytes) > 0)
            reached(number);
        if (ssh_string_next(&bytes, &string))
            reached(taken);
        else
            reached(refused);
    }
    return 0;
}
