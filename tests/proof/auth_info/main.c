/* SPDX-License-Identifier: ISC */
#include "lib/session/auth_info.h"

#include "tests/proof/any.h"

#include <string.h>

static const char method[] = "publickey ";

enum { METHOD_BYTES = sizeof(method) - 1 };

static void parse(const char *text)
{
    struct auth_info info;
    if (auth_info_parse(text, &info) == NULL)
        reached(taken);
    else
        reached(refused);
}

int main(void)
{
    parse(NULL);
    /* Texts that differ from the method in byte k, where Eva keeps "less", "more" and "the end"
     * apart. */
    //@ loop unroll METHOD_BYTES;
    for (int k = 0; k < METHOD_BYTES; k++) {
        //@ loop unroll 3;
        for (int side = 0; side < 3; side++) {
            char *text = any_text(side == 0 ? (size_t)k : LENGTHS - 1);
            memcpy(text, method, (size_t)k);
            if (side > 0)
                text[k] =
                    side == 1 ? any_of(CHAR_MIN, method[k] - 1) : any_of(method[k] + 1, CHAR_MAX);
            parse(text);
        }
    }
    /* What follows the method is anything. */
    //@ loop unroll LENGTHS;
    for (size_t i = 0; i < LENGTHS; i++) {
        char *text = any_text(i) - METHOD_BYTES;
        memcpy(text, method, METHOD_BYTES);
        parse(text);
    }
    return 0;
}
