/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/host/textfile.h"

#include "lib/base/buf.h"

#include <stdio.h>

void textfile_read(const char *path, struct buf *out)
{
    char chunk[4096];
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return;
    for (size_t n; out->len < TEXTFILE_MAX && (n = fread(chunk, 1, sizeof(chunk), f)) > 0;)
        buf_add_mem(out, chunk, n);
    (void)fclose(f);
}
