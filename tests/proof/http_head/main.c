/* SPDX-License-Identifier: ISC */
#include "leased/http/http_head.h"

#include "tests/proof/any.h"

int main(void)
{
    struct http_head head;
    int status;
    //@ loop unroll LENGTHS;
    for (size_t i = 0; i < LENGTHS; i++) {
        if (http_head_parse(any_bytes(i), any_length(i) + LIE, &head, &status) != 0 && status == 0)
            reached(taken);
        else
            reached(refused);
    }
    return 0;
}
