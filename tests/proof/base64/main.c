/* SPDX-License-Identifier: ISC */
#include "lib/base/base64.h"

#include "tests/proof/any.h"

#include <string.h>

enum { OUT_BYTES = 2304 }; /* of both callers */

int main(void)
{
    uint8_t out[OUT_BYTES];
    char fingerprint[FINGERPRINT_BYTES];
    //@ widen_hints global:"all", 2304;
    //@ loop unroll LENGTHS;
    for (size_t i = 0; i < LENGTHS; i++) {
        if (base64_decode(any_bytes(i), any_length(i) + 4 * LIE, out, OUT_BYTES) >= 0)
            reached(taken);
        else
            reached(refused);
    }
    Frama_C_make_unknown((char *)out, sizeof(out));
    fingerprint_of_blob(out, any_size(0, OUT_BYTES), fingerprint);
    if (fingerprint[FINGERPRINT_BYTES - 1] == '\0') {
        reached(fingerprint);
    }
    return 0;
}
