/* SPDX-License-Identifier: ISC */
/*
 * SSH_AUTH_INFO_0, which sshd puts into the PAM environment of open_session: how the client proved
 * who it is, one line for each method that was completed (docs/sshd-facts.md 2). In the account
 * stage it is empty; in close_session it can be forged.
 */
#ifndef TUNLEASE_SESSION_AUTH_INFO_H
#define TUNLEASE_SESSION_AUTH_INFO_H

#include "lib/base/base64.h"

enum {
    AUTH_KEY_TYPE_BYTES = 48,
    AUTH_KEY_BLOB_BYTES = 2304, /* an RSA key of 16384 bits, the largest that sshd accepts */
    AUTH_KEY_BASE64_BYTES = AUTH_KEY_BLOB_BYTES / 3 * 4 + 1,
};

struct auth_info {
    char key_type[AUTH_KEY_TYPE_BYTES];
    char key_base64[AUTH_KEY_BASE64_BYTES];
    char fingerprint[FINGERPRINT_BYTES];
};

/*
 * Accepts exactly one line `publickey TYPE BASE64\n` with a plain key. Returns NULL and sets *ret,
 * or returns why no session can be judged by this text, as a clause for the log. text may be NULL,
 * or any text at all.
 */
const char *auth_info_parse(const char *text, struct auth_info *ret);

#endif
