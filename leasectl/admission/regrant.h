/* SPDX-License-Identifier: ISC */
/* The command that gives a lease to the holder of a key: the first one, or after one that has ended
 * for good the same again. */
#ifndef TUNLEASE_LEASECTL_ADMISSION_REGRANT_H
#define TUNLEASE_LEASECTL_ADMISSION_REGRANT_H

struct buf;
struct ctl;
struct store_key_history;

/* Adds the command. FILE stands for the key's file, NAME and PORT for what the admin chooses. */
void regrant_add_first(const struct ctl *ctl, const char *login, struct buf *out);

/* As above, with the name and the terms of the lease that ended; without the terms where it
 * cannot be read. */
void regrant_add(const struct ctl *ctl, const struct store_key_history *ended, const char *login,
                 struct buf *out);

#endif
