/* SPDX-License-Identifier: ISC */
/* One daemon for one store; leasectl looks at the lock to know whether there is one. */
#ifndef TUNLEASE_LEASED_STORE_LOCK_H
#define TUNLEASE_LEASED_STORE_LOCK_H

struct conf;

/* 0 and the descriptor of the lock, which is to be kept until the end of the process; or -1,
 * logged. */
int store_lock_acquire(const struct conf *conf, int *ret_fd);

#endif
