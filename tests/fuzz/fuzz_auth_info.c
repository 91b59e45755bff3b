/* SPDX-License-Identifier: ISC */
/* SSH_AUTH_INFO_0: a text that is accepted is one line with one plain key, and nothing else. */
#include "lib/session/auth_info.h"

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size), *again = NULL;
    struct auth_info info, canary;

    memset(&info, 0xa5, sizeof(info));
    canary = info;
    const char *problem = auth_info_parse(text, &info);
    if (problem != NULL) {
        MUST(*problem != '\0' && fuzz_is_plain(problem), text);
        MUST(memcmp(&info, &canary, sizeof(info)) == 0, text);
        goto out;
    }
    MUST(info.key_type[0] != '\0' && fuzz_is_plain(info.key_type), text);
    MUST(strchr(info.key_type, ' ') == NULL && strstr(info.key_type, "-cert-") == NULL, text);
    MUST(strspn(info.key_base64, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                 "0123456789+/=") == strlen(info.key_base64),
         text);
    MUST(strlen(info.fingerprint) == FINGERPRINT_BYTES - 1, text);
    /* No part of the text was skipped. */
    if (asprintf(&again, "publickey %s %s\n", info.key_type, info.key_base64) < 0)
        abort();
    MUST(strcmp(again, text) == 0, text);
out:
    free(again);
    free(text);
    return 0;
}
