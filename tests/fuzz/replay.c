/* SPDX-License-Identifier: ISC */
/* Runs a fuzz target once on each FILE: its corpus, or inputs that once crashed it. */
#include "tests/fuzz/fuzz.h"

enum { INPUT_BYTES = 1 << 20 };

int main(int argc, char **argv)
{
    static uint8_t data[INPUT_BYTES];
    (void)LLVMFuzzerTestOneInput(data, 0);
    for (int i = 1; i < argc; i++) {
        FILE *f = fopen(argv[i], "re");
        if (f == NULL) {
            perror(argv[i]);
            return 1;
        }
        size_t size = fread(data, 1, sizeof(data), f);
        (void)fclose(f);
        (void)LLVMFuzzerTestOneInput(data, size);
    }
    (void)printf("%d inputs\n", argc);
    return 0;
}
