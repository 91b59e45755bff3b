/* SPDX-License-Identifier: ISC */
/*
 * The sshd_config(5) Match blocks: layer 2. Alone they must be safe with an unrestricted key, up
 * to the ceiling (docs/design.md 2.2). Of several blocks that match, sshd takes the first value of
 * each keyword: so the block of a login comes first and says what it may forward, and the common
 * block of the group comes last and says nothing may, for a member that has no block of its own.
 */
#ifndef TUNLEASE_LEASECTL_HOST_MATCHBLOCK_H
#define TUNLEASE_LEASECTL_HOST_MATCHBLOCK_H

#include "leasectl/host/sshd_dialect.h"
#include "leasectl/host/sshd_version.h"
#include "leasectl/host/sshd_zone.h"
#include "lib/base/buf.h"

#include <stdbool.h>

struct conf;
struct lease;
struct pubkey;

enum { MATCHBLOCK_HASH_CHARS = 64 };

/* The whole file, with its header, for an sshd of this version and the tunnel logins there are
 * (those configured, and the members of the group). conf_file: NULL for the default. */
void matchblock_format(const struct conf *conf, const char *conf_file,
                       const struct sshd_dialect *dialect, struct buf *out);

/* What the blocks say for login, one lower-case `keyword value` a line as `sshd -T` prints it: for
 * comparing with what is in force. */
void matchblock_expected(const struct conf *conf, const char *conf_file,
                         const struct sshd_dialect *dialect, const char *login, struct buf *out);

/* For which version such a text was made, as its header says; and for which time zone, as words for
 * people and for comparing: nothing where times are in UTC. */
bool matchblock_read_version(const char *text, struct sshd_version *ret);
void matchblock_read_zone(const char *text, struct buf *out);
void matchblock_format_zone(const struct sshd_zone *zone, struct buf *out);

/* The text of the drop-in that is there, to be freed; NULL when it cannot be read. */
char *matchblock_read_dropin(void);

/* The line that akc prints for sshd, with the options that such a text gives it. */
void matchblock_keyline(const char *text, const struct lease *l, const struct pubkey *key,
                        struct buf *out);

/* Whether text is as matchblock_format made it: its header's hash fits what follows. */
bool matchblock_is_unedited(const char *text);

/* Where Contact's line is kept for sshd's Banner. */
#define MATCHBLOCK_BANNER TUNLEASE_SYSCONFDIR "/tunlease/banner"

#endif
