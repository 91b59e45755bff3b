/* SPDX-License-Identifier: ISC */
/* The command that gives the holder of a lease that has ended for good the same again. */
#ifndef TUNLEASE_LEASECTL_ADMISSION_REGRANT_H
#define TUNLEASE_LEASECTL_ADMISSION_REGRANT_H

struct buf;
struct ctl;
struct store_key_history;

/* FILE stands for the key's file. Where the lease cannot be read, its terms are left out. */
void regrant_add(const struct ctl *ctl, const struct store_key_history *ended, const char *login,
                 struct buf *out);

#endif
