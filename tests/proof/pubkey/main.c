/* SPDX-License-Identifier: ISC */
#include "lib/lease/pubkey.h"

#include "tests/proof/any.h"

/* Every type that is known, and any other. */
static const char *const types[] = {"ssh-ed25519",
                                    "ecdsa-sha2-nistp256",
                                    "ssh-rsa",
                                    "sk-ssh-ed25519@openssh.com",
                                    "sk-ecdsa-sha2-nistp256@openssh.com",
                                    "ssh-mldsa44-ed25519@openssh.com"};

int main(void)
{
    struct pubkey key;
    //@ loop unroll LENGTHS;
    for (size_t i = 0; i < LENGTHS; i++) {
        //@ loop unroll 6;
        for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
            if (pubkey_parse(types[t], any_text(i), &key) == NULL)
                reached(taken);
            else
                reached(refused);
        }
    }
    return 0;
}
