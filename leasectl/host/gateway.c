/* SPDX-License-Identifier: ISC */
#include "leasectl/host/gateway.h"

#include "leasectl/host/sshd.h"
#include "leasectl/host/sshd_settings.h"
#include "lib/base/buf.h"
#include "lib/conf/conf.h"

#include <stdio.h>
#include <string.h>

/* files: paths of private host keys, one a line. */
static bool read_host_key(const char *files, struct pubkey *ret)
{
    bool found = false;
    /* ed25519 first: it is the one that current clients ask for. */
    for (int pass = 0; !found && pass < 2; pass++) {
        for (const char *at = files; !found && *at != '\0';) {
            char path[512];
            size_t len = strcspn(at, "\n");
            (void)snprintf(path, sizeof(path), "%.*s.pub", (int)len, at);
            found = sshd_read_public_key(path, ret) &&
                    (pass == 1 || strcmp(ret->type, "ssh-ed25519") == 0);
            at += len + (at[len] == '\n' ? 1 : 0);
        }
    }
    return found;
}

int gateway_host_key(const struct conf *conf, struct pubkey *ret, struct buf *out)
{
    struct sshd sshd;
    struct buf files = {0};
    int rc = -1;
    if (sshd_find(conf, &sshd, out) != 0)
        return -1;
    if (sshd_host_keys(&sshd, &files) != 0)
        buf_add(out, buf_text_or(&files, "out of memory"));
    else if (buf_text(&files) == NULL || !read_host_key(buf_text(&files), ret))
        buf_addf(out,
                 "none of sshd's host keys has a readable .pub file next to it: 'ssh-keygen -y "
                 "-f %.*s' prints what it must contain",
                 buf_text(&files) != NULL ? (int)strcspn(buf_text(&files), "\n") : 0,
                 buf_text_or(&files, ""));
    else
        rc = 0;
    buf_release(&files);
    return rc;
}
