/* SPDX-License-Identifier: ISC */
/* The lock that keeps a second leased off the store, and shows leasectl that leased runs. */
#ifndef TUNLEASE_LEASED_STORE_LOCK_H
#define TUNLEASE_LEASED_STORE_LOCK_H

struct conf;

/* Acquires the lock. *ret_fd holds it: keep it open until the process ends. 0; or -1, logged. */
int store_lock_acquire(const struct conf *conf, int *ret_fd);

#endif
