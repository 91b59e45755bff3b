/* SPDX-License-Identifier: ISC */
/* Whether this clang has libFuzzer: it builds, or it does not. */
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)data;
    (void)size;
    return 0;
}
