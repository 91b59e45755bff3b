/* SPDX-License-Identifier: ISC */
/* What a person must do about a host key. It reads a file of host keys and runs ssh: call it inside
 * a job. */
#ifndef TUNLEASE_AGENT_SSH_HOSTKEY_ADVICE_H
#define TUNLEASE_AGENT_SSH_HOSTKEY_ADVICE_H

struct buf;
struct leg;
struct settings;
struct ssh_run;

/* run: ended with SSH_MESSAGE_HOST_KEY_CHANGED. Names both keys, as far as they are known. */
void sshhostkey_add_changed(struct buf *out, const struct ssh_run *run, const struct leg *leg,
                            const struct settings *s);

#endif
