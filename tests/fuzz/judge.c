/* SPDX-License-Identifier: ISC */
/* For oracle.py: runs pubkey_parse_file on texts from standard input, each after its length in four
 * bytes, and prints a line for each: `ok FINGERPRINT TYPE BASE64`, or `no REASON`. */
#include "lib/lease/pubkey.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    unsigned char prefix[4];
    while (fread(prefix, 1, sizeof(prefix), stdin) == sizeof(prefix)) {
        size_t len = (size_t)prefix[0] << 24 | (size_t)prefix[1] << 16 | (size_t)prefix[2] << 8 |
                     (size_t)prefix[3];
        char *text =
            malloc(len + 1); /* of this size, so that the sanitizer sees a read past the end */
        struct pubkey key;
        if (text == NULL || fread(text, 1, len, stdin) != len)
            return 1;
        const char *problem = pubkey_parse_file(text, len, &key);
        if (problem != NULL)
            (void)printf("no %s\n", problem);
        else
            (void)printf("ok %s %s %s\n", key.fingerprint, key.type, key.base64);
        (void)fflush(stdout);
        free(text);
    }
    return 0;
}
