/* SPDX-License-Identifier: ISC */
/*
 * Signatures as `ssh-keygen -Y sign` makes them (OpenSSH, PROTOCOL.sshsig). ssh-keygen does it, as
 * a child without a shell, with the identity and the environment of who runs leasectl. So whatever
 * it takes works: a private key, an encrypted one, a key on a token, a public key whose private
 * half an agent holds. What it has to ask, it asks on the terminal; what it has to say ("touch the
 * token") is passed on to standard error, if that is a terminal.
 */
#ifndef TUNLEASE_LEASECTL_SIGN_SIGN_H
#define TUNLEASE_LEASECTL_SIGN_SIGN_H

#include "leasectl/ctl.h"
#include "lib/base/buf.h"

#include <stdbool.h>

/* Which of our documents was signed. A signature of one is none of the other. */
#define SIGN_AUDIT "tunlease-audit"
#define SIGN_REPORT "tunlease-report"

/*
 * Signs `text` with the key in the file `key`, and adds the armored signature to out, with its
 * newline. EXIT_DONE; EXIT_USAGE where there is no such file; else EXIT_FAILED. The error is
 * printed, and out is unchanged.
 *
 * A signed document is the signature and then the text:
 *
 *   sed '1,/^-----END SSH SIGNATURE-----$/d' FILE |
 *       ssh-keygen -Y verify -f ALLOWED_SIGNERS -I WHO -n NAMESPACE -s FILE
 *
 * ssh-keygen reads the signature at the beginning of FILE, and takes no notice of what is behind
 * it.
 */
int sign_text(const struct ctl *ctl, const char *key, const char *name_space,
              const struct buf *text, struct buf *out);

/*
 * Checks a signed document against a file of allowed signers (ssh-keygen(1), ALLOWED SIGNERS).
 * SIGNATURE_GOOD: signer is who signed it. SIGNATURE_BAD: why says what is wrong. CANNOT_TELL: it
 * could not be tried, and why says why. A document without a signature is BAD.
 */
enum signature { SIGNATURE_GOOD, SIGNATURE_BAD, SIGNATURE_CANNOT_TELL };
enum signature sign_check(const char *document_path, const char *text, const char *allowed_signers,
                          const char *name_space, struct buf *signer, struct buf *why);

/* Where the text of a signed document begins: behind the signature, or at its start if it has none.
 */
const char *sign_skip_signature(const char *document);
bool sign_is_signed(const char *document);

#endif
