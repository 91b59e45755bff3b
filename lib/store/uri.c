/* SPDX-License-Identifier: ISC */
#include "lib/store/uri.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

int store_uri(const char *path, const char *parameters, char out[static STORE_URI_BYTES])
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-";
    size_t used = strlcpy(out, "file:", STORE_URI_BYTES);
    for (; *path != '\0'; path++) {
        if (used + 64 > STORE_URI_BYTES)
            return -1;
        if (strchr(plain, *path) != NULL)
            out[used++] = *path;
        else
            used += (size_t)snprintf(out + used, 4, "%%%02x", (unsigned char)*path);
    }
    out[used] = '\0';
    return strlcat(out, parameters, STORE_URI_BYTES) < STORE_URI_BYTES ? 0 : -1;
}
