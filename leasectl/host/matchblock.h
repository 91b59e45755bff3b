/* SPDX-License-Identifier: ISC */
/*
 * The sshd_config(5) Match blocks: layer 2. They must be safe by themselves: even an unrestricted
 * key opens no more than the ceiling (docs/design.md 2.2). Where several blocks match, sshd uses
 * the first value of each keyword. So the block of each login comes first and says what that login
 * may forward. The block of the group comes last and forbids all forwarding, for a member that has
 * no block of its own.
 */
#ifndef TUNLEASE_LEASECTL_HOST_MATCHBLOCK_H
#define TUNLEASE_LEASECTL_HOST_MATCHBLOCK_H

#include "leasectl/host/matchblock_text.h"
#include "leasectl/host/sshd_dialect.h"
#include "leasectl/host/sshd_version.h"
#include "leasectl/host/sshd_zone.h"
#include "lib/base/buf.h"

#include <stdbool.h>

struct conf;
struct lease;
struct pubkey;

/* Formats the whole drop-in, with its header, for this sshd. It has a block for each tunnel login:
 * those of the configuration, and the members of the group; and one for JoinLogin, if that is set.
 * conf_file: NULL for the default. */
void matchblock_format(const struct conf *conf, const char *conf_file,
                       const struct sshd_dialect *dialect, struct buf *out);

/* Formats what the blocks set for login, a tunnel login or JoinLogin, to compare with what is in
 * force: one `keyword value` a line with the keyword in lower case, as sshd_effective has it. */
void matchblock_expected(const struct conf *conf, const char *conf_file,
                         const struct sshd_dialect *dialect, const char *login, struct buf *out);

/*
 * Read which version of OpenSSH and which time zone a drop-in's text was made for. False: its
 * header names no version. The zone is added as sshd_zone_format writes it; nothing where
 * times are in UTC.
 */
bool matchblock_read_version(const char *text, struct sshd_version *ret);
void matchblock_read_zone(const char *text, struct buf *out);

/* The text of the installed drop-in, which the caller frees; NULL when it cannot be read. */
char *matchblock_read_dropin(void);

/* True when effective, a login's settings as sshd -T prints them, has akc as AuthorizedKeysCommand.
 */
bool matchblock_asks_akc(const struct buf *effective);

/* Formats the key line that akc prints when it runs with the options in the drop-in's text. text:
 * NULL when there is no drop-in. */
void matchblock_keyline(const char *text, const struct lease *l, const struct pubkey *key,
                        struct buf *out);

/* True when text is as matchblock_format made it: the hash in its header is that of the rest. */
bool matchblock_is_unedited(const char *text);

/* The file for sshd's Banner: it has the line of Contact. */
#define MATCHBLOCK_BANNER TUNLEASE_SYSCONFDIR "/tunlease/banner"

#endif
