/* SPDX-License-Identifier: ISC */
/*
 * Inside lib/store: asks before a migration whether the akc that sshd runs can read the store
 * afterwards. Where an upgrade was interrupted, akc may be older than the program that writes: then
 * nobody could log in any more.
 */
#ifndef TUNLEASE_STORE_AKC_KNOWS_H
#define TUNLEASE_STORE_AKC_KNOWS_H

#include "lib/store/store.h"

/*
 * STORE_OK: the installed akc reads stores of that version, or there is none; and if its file was
 * put in place less than a second ago, that second is over, so that no older akc still runs.
 * STORE_FAIL: it does not, or cannot be asked; store_error says what to do.
 */
enum store_rc akc_knows(struct store *st, int version);

#endif
