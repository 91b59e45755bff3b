/* SPDX-License-Identifier: ISC */
/* Writes settings into Match blocks: what those of the tunnel logins (matchblock.c) and that of
 * JoinLogin (matchblock_join.c) have in common. */
#ifndef TUNLEASE_LEASECTL_HOST_MATCHBLOCK_WRITER_H
#define TUNLEASE_LEASECTL_HOST_MATCHBLOCK_WRITER_H

#include "leasectl/host/sshd_dialect.h"
#include "lib/base/buf.h"

struct conf;

/* Adds one setting: as in sshd_config(5), or as sshd -T prints it. */
typedef void (*emit_fn)(struct buf *out, const char *keyword, const char *value);

/* What the blocks are made of, and how and where they are written. */
struct block_writer {
    const struct conf *conf;
    const char *conf_file;
    const struct sshd_dialect *dialect;
    emit_fn emit;
    struct buf *out;
};

/* As in sshd_config(5), in a Match block. */
void block_as_config(struct buf *out, const char *keyword, const char *value);

/* Adds a setting, where this sshd knows its keyword. */
void block_emit(const struct block_writer *w, const char *keyword, const char *value);

/* A key of this AuthorizedKeysCommand is the only way in. */
void block_emit_keys_of_akc(const struct block_writer *w, const char *command);

/* No terminal, no file of the user, and no forwarding of anything but TCP. */
void block_emit_nothing_else(const struct block_writer *w);

/* No forwarding of TCP either. */
void block_emit_no_forwarding(const struct block_writer *w);

#endif
