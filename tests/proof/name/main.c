/* SPDX-License-Identifier: ISC */
#include "lib/lease/name.h"

#include "tests/proof/any.h"

int main(void)
{
    //@ loop unroll LENGTHS;
    for (size_t i = 0; i < LENGTHS; i++) {
        if (lease_name_problem(any_text(i)) == NULL)
            reached(taken);
        else
            reached(refused);
        if (login_name_problem(any_text(i)) == NULL)
            reached(taken_login);
    }
    return 0;
}
