/* SPDX-License-Identifier: ISC */
/* Who is let in by a login's authorized_keys file, and would be locked out by setup. */
#ifndef TUNLEASE_LEASECTL_SETUP_KEYFILE_H
#define TUNLEASE_LEASECTL_SETUP_KEYFILE_H

#include "leasectl/ctl.h"

#include <stdbool.h>
#include <stddef.h>

/* Finds the nth file with keys, from 0, that sshd asks for login: where it looks by default, and
 * where AuthorizedKeysFile names another place now, if sshd can be asked; so one may come twice.
 * False: there are no more. */
bool keyfile_find(struct ctl *ctl, const char *login, size_t nth, char *path, size_t path_bytes);

struct keyfile_answer {
    size_t admitted;       /* lines that let a key in now */
    size_t without_lease;  /* of them, those whose key has no active lease on the login */
    unsigned long example; /* the first of those lines; 0: none */
};

/*
 * Reads the file at path, and asks the store about each key. Without a store no key has a lease.
 * The store must be closed; it is opened and closed here. EXIT_DONE, or the exit code with the
 * error printed.
 */
int keyfile_ask(struct ctl *ctl, const char *login, const char *path, struct keyfile_answer *ret);

#endif
